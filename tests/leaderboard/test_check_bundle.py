"""What a stranger may have done to a bundle, and that its check says so without running anything."""

import io
import json
import stat
import sys
import zipfile

import numpy as np
import pytest
from bundled_store import bundled, edited, keyed, members_of, record_member, resealed, written

from prior_bench.errors import BenchError
from prior_bench.io.arrays import write_arrays
from prior_bench.io.bounded import MIB
from prior_bench.leaderboard.checking import check_bundle
from prior_bench.leaderboard.layout import arrays_sha256

MODULE = "evil:Task"


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    """The members of a sound bundle, whose numbers follow from its predictions."""
    folder = tmp_path_factory.mktemp("honest")
    return members_of(bundled(keyed(folder / "mine", {"A": 1.0, "B": 2.0}, seeds=1), folder / "a.zip"))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "theirs.zip"


def npz(members, number=0) -> str:
    return sorted(name for name in members if name.endswith(".npz"))[number]


def repacked(content: bytes, **changes) -> tuple[bytes, str]:
    """Predictions with other arrays, and their hash."""
    with np.load(io.BytesIO(content)) as arrays:
        found = {name: arrays[name] for name in arrays} | changes
    file = io.BytesIO()
    write_arrays(file, found)
    return file.getvalue(), arrays_sha256(found)


def listed(members, key, digest):
    """The list of records of a statement with another hash of predictions."""
    records = json.loads(members["bundle.json"])["records"]
    return [{**one, "predictions_sha256": digest} if one["key"] == key else one for one in records]


def problems(path) -> str:
    found = check_bundle(path)
    assert not found.sound
    return "\n".join(found.problems)


def test_an_honest_bundle_is_sound_and_verified(honest, path):
    found = check_bundle(written(path, honest))
    assert found.sound and found.verified == len(found.records) == 2
    assert found.as_dict()["problems"] == [] and found.as_dict()["unverified"] == {}


def test_without_predictions_it_is_sound_and_unverified(tmp_path):
    store = keyed(tmp_path / "mine", {"A": 1.0}, seeds=1)
    found = check_bundle(bundled(store, tmp_path / "a.zip", predictions=False))
    assert found.sound and found.verified == 0
    assert set(found.as_dict()["unverified"].values()) == {"no predictions are enclosed"}


@pytest.mark.parametrize("ending", ["record.json", "predictions.npz", "cards/0.json"])
def test_a_changed_member_has_another_hash(honest, path, ending):
    name = next(name for name in honest if name.endswith(ending))
    content = (
        honest[name].replace(b'"', b' "', 1) if name.endswith("json") else repacked(honest[name])[0] + b"0"
    )
    assert f"{name}: its sha256 is not the listed one" in problems(written(path, {**honest, name: content}))


def test_a_changed_statement_has_another_hash(honest, path):
    statement = edited(honest["bundle.json"], lambda values: values.update(title="Mine now"))
    assert "its sha256 is not that of its content" in problems(
        written(path, {**honest, "bundle.json": statement})
    )


def test_missing_and_further_members_are_named(honest, path):
    name = record_member(honest)
    without = {one: content for one, content in honest.items() if one != name}
    assert f"{name}: is missing" in problems(written(path, without))
    further = {**honest, "runs/more/record.json": honest[name]}
    assert "runs/more/record.json: is not listed" in problems(written(path, further))
    assert "runs/more/record.json: belongs to no listed record" in problems(resealed(path, further))


def test_a_changed_value_does_not_follow_from_the_predictions(honest, path):
    name = record_member(honest)
    content = edited(honest[name], lambda record: record["metrics"].update(auroc=0.99))
    assert "metrics.auroc: is 0.99; its predictions give 0." in problems(
        resealed(path, {**honest, name: content})
    )


def test_a_changed_part_does_not_either(honest, path):
    name = record_member(honest)
    content = edited(honest[name], lambda record: record["metrics"].update({"auroc/Edema": 0.99}))
    assert "metrics.auroc/Edema: is 0.99" in problems(resealed(path, {**honest, name: content}))


def test_a_metric_of_no_predictions_keeps_a_record_from_being_verified(honest, path):
    name = record_member(honest)

    def change(record):
        record["metrics"]["made_up"] = 0.5
        record["spec"]["protocol"]["metrics"].append("made_up")

    found = check_bundle(resealed(path, {**honest, name: edited(honest[name], change)}))
    assert found.verified == 1 and not found.sound


def test_swapped_predictions_are_found(honest, path):
    one, two = npz(honest, 0), npz(honest, 1)
    swapped = {**honest, one: honest[two], two: honest[one]}
    assert "its predictions are not those of the hash" in problems(resealed(path, swapped))
    hashes = [record["predictions_sha256"] for record in json.loads(honest["bundle.json"])["records"]]
    records = listed(honest, one.split("/")[1], hashes[1])
    records = [{**records[0]}, {**records[1], "predictions_sha256": hashes[0]}]
    assert "its predictions give" in problems(resealed(path, swapped, records=records))


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record["spec"].update(seed=7),
        lambda record: record["spec"].update(fraction=0.5),
        lambda record: record["spec"]["protocol"].update(batch_size=1),
        lambda record: record["provenance"].update(identity="other"),
        lambda record: record["provenance"].update(data_fingerprint="other"),
        lambda record: record["provenance"].update(declared_versions={"task": 2}),
    ],
)
def test_a_key_is_that_of_the_settings(honest, path, change):
    name = record_member(honest)
    text = problems(resealed(path, {**honest, name: edited(honest[name], change)}))
    assert "its key is not that of its settings" in text


def test_a_record_under_another_key_is_refused(honest, path):
    name = record_member(honest)
    key = name.split("/")[1]
    moved = {one.replace(key, "0" * 16): content for one, content in honest.items()}
    records = [
        {**one, "key": one["key"].replace(key, "0" * 16)}
        for one in json.loads(honest["bundle.json"])["records"]
    ]
    assert f"is '{key}', and its folder is '{'0' * 16}'" in problems(resealed(path, moved, records=records))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e400", '"0.9"', "true"])
def test_a_value_that_is_no_number_is_refused(honest, path, value):
    name = record_member(honest)
    content = edited(honest[name], lambda record: record["metrics"].update(auroc="HERE"))
    content = content.replace(b'"HERE"', value.encode())
    assert "unreadable record" in problems(resealed(path, {**honest, name: content}))


def test_a_value_outside_the_bounds_of_its_metric_is_refused(honest, path):
    name = record_member(honest)
    content = edited(honest[name], lambda record: record["trivial"]["chance"].update(auroc=1.5))
    assert "trivial.chance.auroc: is 1.5, outside 0.0 to 1.0" in problems(
        resealed(path, {**honest, name: content})
    )


@pytest.mark.parametrize(
    "change, wanted",
    [
        (lambda record: record.update(synthetic=False), "synthetic: is false"),
        (lambda record: record.update(status="failed"), "failed run"),
        (lambda record: record["provenance"].update(rehearsal={"work": []}, x=1), "rehearsal"),
        (lambda record: record["spec"]["data"].update(root="relative/place"), "spec.data.root"),
        (
            lambda record: record["provenance"].update(command="x /home/me/y"),
            "provenance.command: names a path",
        ),
        (lambda record: record["spec"]["backbone"].update(name="Z"), "row 'Z': has no card"),
        (lambda record: record["provenance"]["versions"].update(torch="0"), "environments: are not those"),
        (lambda record: record.update(metrics={}), "has no metric"),
    ],
)
def test_what_else_a_record_may_not_say(honest, path, change, wanted):
    name = record_member(honest)

    def changed(record):
        change(record)
        if record["provenance"].get("rehearsal") is not None:
            record["provenance"]["rehearsal"] = {"factor": 2, "work": []}

    assert wanted in problems(resealed(path, {**honest, name: edited(honest[name], changed)}))


def test_predictions_with_names_or_texts_are_refused(honest, path):
    name = npz(honest)
    for change in (
        {"patient_id": np.array([f"p{n // 2}" for n in range(80)])},
        {"report": np.array([f"line {n}" for n in range(80)])},
        {"meta_train_id": np.array(["a"])},
    ):
        content, digest = repacked(honest[name], **change)
        records = listed(honest, name.split("/")[1], digest)
        text = problems(resealed(path, {**honest, name: content}, records=records))
        assert f"hold names or texts ({next(iter(change))})" in text


def test_predictions_that_do_not_fit_the_task_are_refused(honest, path):
    name = npz(honest)
    content, digest = repacked(honest[name], score=np.array(["a"] * 80))
    records = listed(honest, name.split("/")[1], digest)
    assert "its predictions" in problems(resealed(path, {**honest, name: content}, records=records))


@pytest.mark.parametrize(
    "name",
    [
        "../x.json",
        "/etc/x",
        "runs/../../record.json",
        "runs/a/b/record.json",
        "runs/.x/record.json",
        "plan.json",
    ]
    + [
        "cards/../bundle.json",
        "cards/00.json",
        "runs/a/evil.py",
        "runs\\a\\record.json",
        "C:x",
        "bundle.json/",
    ],
)
def test_a_member_of_another_name_is_refused_and_nothing_is_written(honest, path, name):
    with pytest.raises(BenchError, match="no part of a bundle"):
        check_bundle(written(path, {**honest, name: b"x"}))
    assert not list(path.parent.parent.glob("x.json"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(honest, path):
    written(path, honest)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("bundle.json", b"{}")
    with pytest.raises(BenchError, match="holds bundle.json twice"):
        check_bundle(path)


def test_a_link_is_refused(honest, path, tmp_path):
    written(path, {name: content for name, content in honest.items() if name != "cards/0.json"})
    with zipfile.ZipFile(path, "a") as archive:
        member = zipfile.ZipInfo("cards/0.json")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    with pytest.raises(BenchError, match="is no regular file"):
        check_bundle(path)
    (tmp_path / "link.zip").symlink_to(path)
    with pytest.raises(BenchError, match="is no regular file"):
        check_bundle(tmp_path / "link.zip")


def test_bombs_are_refused_before_they_are_unpacked(honest, path):
    with pytest.raises(BenchError, match="cards/7.json unpacks to 3 MiB; at most 1 are read"):
        check_bundle(written(path, {**honest, "cards/7.json": b" " * 3 * MIB}))
    many = {f"runs/k{number}/record.json": b" " * 30 * MIB for number in range(4)}
    with pytest.raises(BenchError, match="unpack to 1.. MiB, which is no bundle"):
        check_bundle(written(path, {**honest, **many}))


def test_what_is_no_bundle_at_all_is_one_message(honest, path, tmp_path):
    path.write_bytes(b"PK\x03\x04 nonsense")
    with pytest.raises(BenchError, match="is no bundle"):
        check_bundle(path)
    with pytest.raises(BenchError, match="holds no bundle.json"):
        check_bundle(written(path, {"cards/0.json": b"{}"}))
    whole = written(path, honest).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BenchError, match="is no bundle"):
        check_bundle(path)
    with pytest.raises(BenchError, match="is no regular file"):
        check_bundle(tmp_path)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda values: values.update(version=2), "newer prior-bench"),
        (lambda values: values.update(version=0), "version"),
        (lambda values: values.update(surprise=1), "surprise"),
        (lambda values: values.update(title=""), "title"),
        (lambda values: values.update(title=7), "title"),
        (lambda values: values.pop("members"), "members"),
        (lambda values: values["rows"][0].update(card="../../x"), "no name of a card"),
        (lambda values: values["rows"][0].update(card="cards/1.json"), "belongs to the row"),
    ],
)
def test_a_statement_that_does_not_fit_its_schema_is_refused(honest, path, change, message):
    statement = edited(honest["bundle.json"], change)
    with pytest.raises(BenchError, match=message):
        check_bundle(written(path, {**honest, "bundle.json": statement}))


@pytest.mark.parametrize("content", [b"[]", b"{", b"\xff", b"[" * 100_000, b'{"title": "\\ud800"}'])
def test_a_statement_that_is_no_object_is_refused(honest, path, content):
    with pytest.raises(BenchError, match="bundle.json"):
        check_bundle(written(path, {**honest, "bundle.json": content}))


@pytest.mark.parametrize("field", ["task", "data", "backbone", "protocol"])
def test_names_of_code_import_nothing(honest, path, tmp_path, monkeypatch, field):
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\nTask = print\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    name = record_member(honest)

    def change(record):
        if field == "task":
            record["spec"]["task"] = MODULE
        elif field == "protocol":
            record["spec"]["protocol"].update(
                name="evil.py", options={"prompts": MODULE, "corruptions": [MODULE]}
            )
        else:
            record["spec"][field]["type"] = MODULE

    check_bundle(resealed(path, {**honest, name: edited(honest[name], change)}))
    assert not (tmp_path / "ran").exists() and "evil" not in sys.modules


def test_a_task_that_is_not_installed_is_said(honest, path):
    name = record_member(honest)
    content = edited(honest[name], lambda record: record["spec"].update(task="theirs"))
    found = check_bundle(resealed(path, {**honest, name: content}))
    assert "the task 'theirs' is not installed here" in found.as_dict()["unverified"].values()


def test_another_version_of_a_metric_is_not_compared(tmp_path):
    store = keyed(tmp_path / "m", {"A": 1.0}, seeds=1, provenance={"declared_versions": {"metric auroc": 2}})
    found = check_bundle(bundled(store, tmp_path / "a.zip"))
    assert found.sound and found.verified == 0
    assert "made with version 2 of metric auroc; here it is 1" in found.as_dict()["unverified"].values()
