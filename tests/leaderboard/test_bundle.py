"""A bundle holds what may be shown: records and predictions without places, names and texts of anybody."""

import hashlib
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from bundled_store import REAL, bundled, keyed, members_of, record_member, save_keyed
from scored_store import predictions

import prior_bench as pb
from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.io.arrays import read_arrays
from prior_bench.leaderboard.layout import arrays_sha256, sealed
from prior_bench.leaderboard.shareable import numbered, paths_in, shareable_arrays, without_paths
from prior_bench.models.cards import card_as_stored
from prior_bench.store.exchange import merge, opened
from prior_bench.store.store import Store

CARD = {
    "title": "My model",
    "weights": {"where": "on request"},
    "access": "request",
    "licence": "none is stated",
    "vision": "ResNet-18",
    "input": "224 pixels",
    "trained_on": {"chexpert": "its training split"},
    "loads": "no",
    "limits": "the weights are not public",
}


@pytest.fixture
def store(tmp_path):
    return keyed(tmp_path / "mine", {"A": 1.0, "B": 2.0}, data=REAL)


def words_in(members: dict[str, bytes]) -> str:
    """All that can be read in a bundle, with the words in its arrays."""
    texts = []
    for name, content in members.items():
        texts += [name, content.decode("utf-8", "replace")]
        if name.endswith(".npz"):
            with np.load(io.BytesIO(content)) as arrays:
                texts += [str(arrays[one].tolist()) for one in arrays if arrays[one].dtype.kind in "US"]
    return "\n".join(texts)


def test_nothing_of_the_machine_and_of_patients_is_in_it(store, tmp_path):
    whole = "".join(path.read_text("latin1") for path in store.runs.rglob("record.json"))
    assert "/home/me/data/chexpert" in whole and "GPU-1234" in whole, "or nothing is tested"
    text = words_in(members_of(bundled(store, tmp_path / "a.zip")))
    for private in ("/home", "home/me", "GPU-1234", "Smith", "patient0", "i000", "p000", str(tmp_path)):
        assert private not in text
    assert "prior-bench run <path> --data csv:<path>" in text and '"path": "<path>"' in text


@pytest.mark.parametrize("root", ["mine/chexpert", "chexpert", "", "~/x"])
def test_no_root_of_data_is_in_it(tmp_path, root):
    store = Store(tmp_path / "mine")
    save_keyed(store, "A", 1.0, data={**REAL, "root": root})
    members = members_of(bundled(store, tmp_path / "a.zip"))
    assert json.loads(members[record_member(members)])["spec"]["data"]["root"] == "<path>"


def test_every_member_has_its_hash_and_all_together_one(store, tmp_path):
    members = members_of(bundled(store, tmp_path / "a.zip"))
    statement = json.loads(members.pop("bundle.json"))
    assert {name: hashlib.sha256(content).hexdigest() for name, content in members.items()} == statement[
        "members"
    ]
    assert statement["sha256"] == sealed(statement) and statement["version"] == 1
    assert sealed({**statement, "title": "other"}) != statement["sha256"]
    assert len(members) == 2 * 4 + 2


def test_the_hash_of_predictions_is_there_without_them_and_is_that_of_the_enclosed(store, tmp_path):
    with_them = members_of(bundled(store, tmp_path / "a.zip"))
    without = members_of(bundled(store, tmp_path / "b.zip", predictions=False))
    one, other = (json.loads(members["bundle.json"])["records"] for members in (with_them, without))
    assert [r["predictions_sha256"] for r in one] == [r["predictions_sha256"] for r in other]
    assert all(r["enclosed"] for r in one) and not any(r["enclosed"] for r in other)
    assert not [name for name in without if name.endswith(".npz")]
    key = one[0]["key"]
    (tmp_path / "x.npz").write_bytes(with_them[f"runs/{key}/predictions.npz"])
    assert arrays_sha256(read_arrays(tmp_path / "x.npz")) == one[0]["predictions_sha256"]


def test_the_same_records_give_the_same_bytes(store, tmp_path):
    one, two = (bundled(store, tmp_path / name, title="t") for name in ("a.zip", "b.zip"))
    assert one.read_bytes() == two.read_bytes()


def test_failed_records_are_counted_and_left_out(store, tmp_path):
    spec = next(iter(store.records().values())).spec
    store.save(RunRecord("failed", "failed", spec, error="ValueError: /home/me/x"))
    statement = json.loads(members_of(bundled(store, tmp_path / "a.zip"))["bundle.json"])
    assert statement["left_out"] == 1 and len(statement["records"]) == 4


def test_a_given_card_goes_to_its_row(store, tmp_path):
    card = tmp_path / "A.json"
    card.write_text(json.dumps(CARD))
    members = members_of(bundled(store, tmp_path / "a.zip", cards=(str(card),)))
    assert json.loads(members["cards/0.json"])["card"]["title"] == "My model"
    derived = json.loads(members["cards/1.json"])
    assert derived["row"] == "B" and derived["card"] is None
    assert derived["weights"]["source"] == "checkpoint file" and derived["weights"]["path"] == "<path>"
    members = members_of(bundled(store, tmp_path / "b.zip", cards=(f"B={card}",)))
    assert json.loads(members["cards/1.json"])["card"]["licence"] == "none is stated"


@pytest.mark.parametrize(
    "change, message",
    [
        ({"licence": ""}, "licence"),
        ({"limits": "see /home/me/notes"}, "names a path"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_card_that_cannot_be_shown_is_refused_and_nothing_is_left(store, tmp_path, change, message):
    card = tmp_path / "A.json"
    card.write_text(json.dumps({**CARD, **change}))
    with pytest.raises(BenchError, match=message):
        bundled(store, tmp_path / "a.zip", cards=(str(card),))
    assert not list(tmp_path.glob("*.zip*"))


def test_a_row_that_was_loaded_by_a_card_has_it(store, tmp_path):
    for key, record in store.records().items():
        if record.spec["backbone"]["name"] == "B":
            changed = {**record.spec, "backbone": {"name": "B", "type": "card", "model": "mgca_r50"}}
            store.save(replace(record, spec=changed), store.predictions(key))
    members = members_of(bundled(store, tmp_path / "a.zip"))
    assert json.loads(members["cards/0.json"])["card"] is None
    found = json.loads(members["cards/1.json"])
    assert found["row"] == "B" and found["card"] == card_as_stored("mgca_r50")
    own = tmp_path / "B.json"
    own.write_text(json.dumps(CARD))
    members = members_of(bundled(store, tmp_path / "b.zip", cards=(str(own),)))
    assert json.loads(members["cards/1.json"])["card"]["title"] == "My model", "a given card comes first"


def test_a_card_of_no_row_is_refused(store, tmp_path):
    card = tmp_path / "other.json"
    card.write_text(json.dumps(CARD))
    with pytest.raises(BenchError, match="belongs to no row.*\n.*rows: A, B"):
        bundled(store, tmp_path / "a.zip", cards=(str(card),))


@pytest.mark.parametrize(
    "settings",
    [
        {"protocol": {"options": {"prompts": "/home/me/prompts.json"}}},
        {"protocol": {"source": "see ~me/notes"}},
    ],
)
def test_a_path_in_what_the_key_is_of_is_refused(tmp_path, settings):
    store = Store(tmp_path / "mine")
    save_keyed(store, "A", 1.0, **settings)
    with pytest.raises(BenchError, match="spec.protocol.*names a path"):
        bundled(store, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_record_without_what_its_key_is_of_is_refused(tmp_path):
    store = Store(tmp_path / "mine")
    save_keyed(store, "A", 1.0, provenance={"finished": ""})
    record = next(iter(store.records().values()))
    del record.provenance["declared_versions"]
    store.save(record, predictions(1.0, 0))
    with pytest.raises(BenchError, match="lacks declared_versions"):
        bundled(store, tmp_path / "a.zip")


@pytest.mark.parametrize("line", ["title", "contact", "note"])
def test_what_the_submitter_says_names_no_path(store, tmp_path, line):
    with pytest.raises(BenchError, match=f"{line}: names a path"):
        pb.bundle(store, tmp_path / "a.zip", **{"title": "t", line: "in /home/me"})


def test_an_empty_store_is_refused(tmp_path):
    with pytest.raises(BenchError, match="no finished record"):
        bundled(Store(tmp_path / "none"), tmp_path / "a.zip")


def test_results_import_reads_a_bundle(store, tmp_path):
    with opened(bundled(store, tmp_path / "a.zip")) as source:
        merged = merge(source, Store(tmp_path / "theirs"))
    assert len(merged.added) == 4 and not merged.damaged


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("/home/me/x.pth", "<path>"),
        ("csv:/home/me/My Data/x.csv", "csv:<path>"),
        ("chexpert@/data/x", "chexpert@<path>"),
        ("run /home/me/a.py --out '/a b/c d' -x", "run <path> --out '<path>' -x"),
        ("~/x", "<path>"),
        ("C:\\Users\\me", "<path>"),
        ("\\\\server\\share", "<path>"),
        ("file:///home/me/x", "file:<path>"),
        ("a=/scratch, b", "a=<path>, b"),
        ("files/p10/s50.dcm is damaged", "<path> is damaged"),
        ("https://arxiv.org/abs/2310.09507 (x)", "https://arxiv.org/abs/2310.09507 (x)"),
        ("microsoft/rad-dino", "microsoft/rad-dino"),
        ("train/test, n/a, 1/2, a / b", "train/test, n/a, 1/2, a / b"),
        ("sample:chexpert", "sample:chexpert"),
    ],
)
def test_paths_in_texts(text, wanted):
    assert without_paths(text) == wanted
    assert bool(list(paths_in({"a": [text]}))) == (text != wanted)
    assert without_paths(wanted) == wanted


def test_long_texts_take_little_time():
    for text in (
        "/" * 200_000,
        "'" * 200_000,
        "a/" * 100_000,
        "~" * 200_000,
        "http:" * 40_000,
        "a.py" * 50_000,
    ):
        without_paths(text)


def test_numbers_keep_the_order_of_names_so_that_draws_stay():
    names = np.array(["p9", "p10", "p9", "a"])
    assert list(numbered(names)) == ["2", "1", "2", "0"]
    many = numbered(np.array([f"x{n:04}" for n in range(1001)]))
    assert many[7] == "0007" and list(np.argsort(many)) == list(range(1001))


def test_words_that_are_no_class_are_left_out():
    kept = shareable_arrays(
        {
            "id": np.array(["a", "b"]),
            "category": np.array(["Edema", ""]),
            "phrase": np.array(["left lung", "Edema"]),
            "meta_classes": np.array(["Edema"]),
            "meta_train_id": np.array(["c"]),
            "example_image": np.zeros(2),
            "score": np.zeros(2),
        }
    )
    assert sorted(kept) == ["category", "id", "meta_classes", "score"]


def test_hashes_of_arrays_depend_on_name_type_shape_and_content():
    one = {"a": np.arange(4)}
    others = [
        {"b": np.arange(4)},
        {"a": np.arange(4.0)},
        {"a": np.arange(4).reshape(2, 2)},
        {"a": np.arange(1, 5)},
    ]
    assert len({arrays_sha256(arrays) for arrays in (one, *others)}) == 5
    assert arrays_sha256({"a": np.arange(4).astype(">i8")}) == arrays_sha256(one)
