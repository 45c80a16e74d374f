"""Stores of somebody else: damaged, oversized or linked files are named, and failures give way to results."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from fixed_store import spec

from prior_bench.api import RunRecord
from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.io.arrays import read_arrays
from prior_bench.io.bounded import MIB, VARIABLE
from prior_bench.report.runs.draws import metric_draws
from prior_bench.report.runs.reported_runs import reported_runs
from prior_bench.store.exchange import export_store, merge, opened
from prior_bench.store.store import Store

SPEC = spec("A", "classification", "chexpert", "demo/linear_probe")


def add(store, key="k", status="done", value=0.5, **changes):
    metrics = {"auroc": value} if status == "done" else {}
    record = RunRecord(key, status, SPEC, metrics=metrics, error="" if metrics else "it broke", **changes)
    store.save(record, {"id": np.array(["a", "b"]), "patient_id": np.array(["p", "q"])})
    return store.runs / key


@pytest.mark.parametrize("kind", ["holes", "pipe", "/dev/zero"])
def test_predictions_are_not_hashed_whole(tmp_path, monkeypatch, kind):
    """The hash of their draws comes before they are read."""
    store = Store(tmp_path)
    place = add(store) / "predictions.npz"
    place.unlink()
    if kind == "holes":
        with open(place, "wb") as file:
            file.truncate(6 << 30)
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to(kind)
    monkeypatch.setattr("pathlib.Path.read_bytes", pytest.fail)
    with pytest.raises(BenchError, match="has 6144 MiB" if kind == "holes" else "is no regular file"):
        metric_draws(store.get("k"), store, "auroc")


@pytest.fixture
def theirs(tmp_path):
    store = Store(tmp_path / "theirs")
    add(store)
    return store


@pytest.fixture
def ours(tmp_path):
    return Store(tmp_path / "ours")


def changed(folder, **changes):
    file = folder / "record.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


# --- what a record may say


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "maybe"}, "status: unknown choice 'maybe'"),
        ({"metrics": {"auroc": float("nan")}}, "NaN is no number"),
        ({"metrics": {"auroc": float("inf")}}, "Infinity is no number"),
        ({"metrics": {"auroc": "0.9"}}, "metrics.auroc: is '0.9'; must be a number"),
        ({"metrics": {"auroc": True}}, "metrics.auroc: is True; must be a number"),
        ({"metrics": {"auroc": 1e300}}, "metrics.auroc: is 1e+300; must be at most"),
        ({"key": "other"}, "key: is 'other', and its folder is 'k'"),
        ({"spec": {}}, "spec: the key 'backbone' is missing (and 5 more)"),
        ({"spec": {**SPEC, "seed": "0"}}, "spec.seed: is '0'; must be a whole number"),
        ({"spec": {**SPEC, "fraction": 0}}, "spec.fraction: is 0; must be above 0"),
        ({"spec": {**SPEC, "extra": 0}}, "spec: unknown key 'extra'"),
        ({"spec": {**SPEC, "protocol": {"name": "p"}}}, "spec.protocol: the key 'metrics' is missing"),
        ({"history": [{"loss": "low"}]}, "history[0].loss: is 'low'; must be a number"),
        ({"provenance": {"wall_seconds": "long"}}, "provenance.wall_seconds: is 'long'; must be a number"),
        ({"provenance": {"leakage": "yes"}}, "provenance.leakage: is 'yes'; must be a list"),
        ({"error": "\ud800"}, "error: holds a character that is no text"),
        ({"synthetic": 1}, "synthetic: is 1; must be true or false"),
    ],
)
def test_what_is_no_record_is_named_and_not_imported(theirs, ours, capsys, changes, message):
    changed(theirs.runs / "k", **changes)
    assert message in merge(theirs, ours).damaged["k"] and ours.records() == {}
    assert theirs.get("k") is None
    assert message in capsys.readouterr().err


def test_lists_inside_each_other_are_bounded(theirs):
    (theirs.runs / "k/record.json").write_text("[" * 100_000)
    with pytest.raises(BenchError, match="too many lists"):
        theirs.read("k")
    deep = json.loads("[" * 30 + "]" * 30)
    changed_deep = {"about": {"a": deep}}
    add(theirs)
    changed(theirs.runs / "k", **changed_deep)
    with pytest.raises(BenchError, match="24 lists and dicts are inside each other"):
        theirs.read("k")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"runs": 3}, "runs: is 3; must be a list"),
        ([], "is no JSON object"),
        ({"runs": [{"spec": SPEC, "key": None, "reason": ""}]}, "runs[0].key: is None; must be text"),
        ({"runs": [{"spec": {"seed": 0}, "key": "", "reason": ""}]}, "runs[0].spec: the key"),
    ],
)
def test_a_plan_with_odd_content_is_named_and_ignored(theirs, capsys, content, message):
    (theirs.root / "plan.json").write_text(json.dumps(content))
    assert theirs.plan() == []
    said = capsys.readouterr().err
    assert message in said and "it is ignored" in said


@pytest.mark.parametrize("key", ["$(touch x)", "-rf", "a\nb", " ", "~"])
def test_keys_are_names_that_can_be_pasted(theirs, ours, key):
    (theirs.runs / "k").rename(theirs.runs / key)
    changed(theirs.runs / key, key=key)
    assert "is not of letters" in merge(theirs, ours).damaged[key]


# --- which of two records is kept


def test_a_finished_run_takes_the_place_of_a_failed_one_and_not_the_other_way(theirs, ours, capsys):
    add(ours, status="failed")
    merged = merge(theirs, ours)
    assert merged.replaced == ["k"] and not merged.conflicts
    assert ours.get("k").metrics == {"auroc": 0.5} and ours.get("k").status == "done"
    add(theirs, status="failed")
    merged = merge(theirs, ours)
    assert merged.known == ["k"] and not merged.conflicts and not merged.replaced
    assert ours.get("k").status == "done"


def test_two_failures_are_no_conflict(theirs, ours):
    add(theirs, status="failed"), add(ours, status="failed")
    merged = merge(theirs, ours)
    assert merged.known == ["k"] and not merged.conflicts


def test_the_command_says_what_was_replaced_and_left_out(theirs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path))
    add(Store(tmp_path / "ours"), status="failed")
    changed(add(theirs, "odd"), status="maybe")
    assert main(["results", "import", str(theirs.root), "--suite", "ours"]) == 1
    said = capsys.readouterr()
    assert "1 finished that had failed here, 0 added" in said.out
    assert "damaged: odd was left out: status: unknown choice 'maybe'" in said.err


# --- links, special files and sizes


def test_links_of_a_sent_folder_are_not_followed(theirs, ours, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for name in ("traceback.txt", "predictions.npz"):
        folder = add(theirs, f"with-{name}")
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(secret)
    os.symlink(theirs.runs / "k", theirs.runs / "linked")
    (theirs.root / "plan.json").symlink_to(secret)
    merged = merge(theirs, ours)
    assert merged.added == ["k"]
    assert set(merged.damaged) == {"with-traceback.txt", "with-predictions.npz", "linked"}
    assert all("symbolic link is not followed" in reason for reason in merged.damaged.values())
    assert not any("secret" in p.read_bytes().decode("latin-1") for p in ours.root.rglob("*") if p.is_file())


def test_runs_that_are_a_link_are_refused(theirs, tmp_path):
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/runs").symlink_to(theirs.runs)
    with pytest.raises(BenchError, match="symbolic link"), opened(tmp_path / "sent"):
        pass


def test_links_are_not_exported(theirs, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (theirs.runs / "k/traceback.txt").symlink_to(secret)
    (theirs.root / "plan.json").symlink_to(secret)
    export_store(theirs, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["runs/k/record.json", "runs/k/predictions.npz"]


@pytest.mark.parametrize("name", ["traceback.txt", "predictions.npz"])
def test_a_file_that_is_mostly_holes_is_not_copied(theirs, ours, tmp_path, capsys, name):
    place = theirs.runs / "k" / name
    content = place.read_bytes() if place.exists() else b""
    with open(place, "wb") as file:  # a ZIP archive may have anything before it
        file.seek(300 * MIB)
        file.write(content or b"x")
    assert "has 300 MiB; at most" in merge(theirs, ours).damaged["k"] and ours.records() == {}
    export_store(theirs, tmp_path / "out.zip")
    assert f"{name}: has 300 MiB" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert f"runs/k/{name}" not in archive.namelist() and "runs/k/record.json" in archive.namelist()


def test_a_plan_that_is_mostly_holes_is_not_exported(theirs, tmp_path):
    with open(theirs.root / "plan.json", "wb") as file:
        file.truncate(33 * MIB)
    export_store(theirs, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert "plan.json" not in archive.namelist()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("second", ["runs/k/record.json", "runs//k/record.json", "./runs/k/record.json"])
def test_a_record_that_is_in_an_archive_twice_is_refused(theirs, tmp_path, second):
    export_store(theirs, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip", "a") as archive:
        archive.writestr(second, archive.read("runs/k/record.json").replace(b"0.5", b"0.9"))
    with pytest.raises(BenchError, match=r"holds runs/k/record\.json twice"), opened(tmp_path / "out.zip"):
        pass


@pytest.mark.parametrize("unit", ["[],", "{},", "1,"])
def test_a_record_of_many_values_is_not_parsed(theirs, unit):
    place = theirs.runs / "k/record.json"
    place.write_text('{"about": [' + unit * 2_000_000 + "1]}")
    with pytest.raises(BenchError, match="commas and brackets; at most 2,000,000 are read"):
        theirs.read("k")


def test_a_pipe_in_place_of_a_record_is_not_waited_for(theirs, ours):
    (theirs.runs / "k/record.json").unlink()
    os.mkfifo(theirs.runs / "k/record.json")
    assert merge(theirs, ours).damaged == {"k": "is no regular file"}


def zeros(archive, name, mib):
    with archive.open(name, "w") as member:
        for _ in range(mib):
            member.write(bytes(MIB))


@pytest.mark.parametrize(
    ("name", "mib", "message"),
    [
        ("runs/k/record.json", 33, "unpacks to 33 MiB; at most 32 are read"),
        ("runs/k/predictions.npz", 257, "unpacks to 257 MiB; at most 256 are read"),
        ("plan.json", 33, "unpacks to 33 MiB"),
    ],
)
def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path, name, mib, message):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        zeros(archive, name, mib)
    with pytest.raises(BenchError, match=message), opened(tmp_path / "bomb.zip"):
        pass


def test_many_small_bombs_are_added_up(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            zeros(archive, f"runs/k{n}/record.json", 30)
    with pytest.raises(BenchError, match="unpack to 90 MiB, which is no archive of records"):
        with opened(tmp_path / "bomb.zip"):
            pass


def npz(path, header, content=b"", name="id.npy"):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        member = io.BytesIO()
        np.lib.format.write_array_header_1_0(member, {"fortran_order": False, **header})
        archive.writestr(name, member.getvalue() + content)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"descr": "<f8", "shape": (10**12,)}, "which is too much"),
        ({"descr": "<U0", "shape": (10**12,)}, "which is too much"),
        ({"descr": "<f8", "shape": (7,)}, "states 56 bytes and has 0"),
        ({"descr": "|O", "shape": (1,)}, "holds objects"),
        ({"descr": "<f8", "shape": (-1,)}, "has the shape"),
        ({"descr": [("a", "<f8")], "shape": (1,)}, "holds objects"),
    ],
)
def test_headers_of_arrays_are_checked_before_memory_is_taken(tmp_path, header, message):
    npz(tmp_path / "x.npz", header)
    with pytest.raises(BenchError, match=message):
        read_arrays(tmp_path / "x.npz")


def test_predictions_that_unpack_to_too_much_are_refused_unless_they_are_wanted(tmp_path, monkeypatch):
    np.savez_compressed(tmp_path / "x.npz", score=np.zeros(3 * MIB, np.uint8))
    assert read_arrays(tmp_path / "x.npz")["score"].size == 3 * MIB
    monkeypatch.setenv(VARIABLE, "2")
    with pytest.raises(BenchError, match=f"unpacks to 3 MiB(.|\n)*{VARIABLE}=4"):
        read_arrays(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"id": ["a", "b"], "score": [1.0]}, "'score' has 1 rows, 'id' 2"),
        ({"id": ["a"], "score": 1.0}, "'score' has 0 rows"),
        ({"id": ["a"], "example_row": [1], "example_map": [0]}, "'example_row' names rows that the 1 test"),
        ({"id": ["a"], "example_row": [0], "example_map": [0, 1]}, "'example_map' has 2 rows"),
        ({"id": [1, 2]}, "'id' is no list of names"),
    ],
)
def test_predictions_have_the_shape_of_predictions(theirs, arrays, message):
    np.savez(theirs.runs / "k/predictions.npz", **{name: np.array(values) for name, values in arrays.items()})
    with pytest.raises(BenchError, match=f"predictions cannot be read: {message}"):
        theirs.predictions("k")


def test_nothing_is_written_through_links(theirs, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (theirs.root / "claims").mkdir()
    for name in ("runs.log", "claims/.store", "plan.json"):
        (theirs.root / name).symlink_to(secret)
    with pytest.raises(BenchError, match="is a symbolic link"), theirs.writing():
        pass
    with pytest.raises(BenchError, match="symbolic link"):
        theirs.log("started", "k", "x")
    theirs.save_plan([{"spec": SPEC, "key": "k", "reason": ""}])
    assert secret.read_text() == "secret" and len(theirs.plan()) == 1


def test_a_plan_may_not_give_a_result_to_another_evaluation(theirs):
    other = {**SPEC, "seed": 3}
    theirs.save_plan([{"spec": SPEC, "key": "k", "reason": ""}, {"spec": other, "key": "k", "reason": ""}])
    right, wrong = reported_runs([theirs])
    assert right.record is not None and wrong.record is None
    assert wrong.reason == "the record under its key is of another run"


@pytest.mark.parametrize("name", ["runs", "work", "claims", "work/k", "claims/k"])
def test_nothing_is_written_through_folders_that_are_links(tmp_path, name):
    place, mine = tmp_path / "sent" / name, tmp_path / "mine"
    mine.mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(mine)
    sent = Store(tmp_path / "sent")
    with pytest.raises(BenchError, match="symbolic link"):
        sent.prepare()
        sent.claims.take("k")
        sent.work_dir("k")
    assert not any(mine.iterdir())
