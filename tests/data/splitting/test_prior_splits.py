"""PRIOR's folds, its 6:2:2 and its draws of 5x200, on files in the layouts of the public data sets."""

import pandas as pd
import pytest

from prior_bench.data.open import open_dataset
from prior_bench.data.splitting.prior import positive_folds
from prior_bench.data.splitting.seeded import different_splits, rule_and_draw, split_name
from prior_bench.errors import BenchError
from tasks.parity import drawn_annotations

LABELS = {"siim_acr": "Pneumothorax", "rsna_pneumonia": "Pneumonia"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The folder of a kind of drawn files, written once."""
    written = {}

    def of(kind):
        if kind not in written:
            written[kind] = drawn_annotations.write(kind, tmp_path_factory.mktemp(kind))
        return written[kind]

    return of


def read(files, kind, split, **options):
    of = "chexpert" if kind == "chexpert_5x200" else kind
    return open_dataset({"type": kind, "root": str(files(of)), **options}, split)


def ids(data, split):
    return set(data.table.loc[data.table["split"] == split, "id"])


@pytest.mark.parametrize("kind", LABELS)
def test_folds_are_of_the_positives_and_each_is_tested_once(files, kind):
    whole = read(files, kind, "default").table
    positives = set(whole.loc[whole[LABELS[kind]] == 1, "id"])
    assert 50 < len(positives) < len(whole)
    folds = [read(files, kind, f"prior:{fold}") for fold in range(5)]
    for fold, data in enumerate(folds):
        parts = [ids(data, part) for part in ("train", "valid", "test")]
        assert sum(map(len, parts)) == len(data) == len(positives) and set.union(*parts) == positives
        assert parts[1] == ids(folds[(fold + 1) % 5], "test")  # the next fold validates
    tested = [ids(data, "test") for data in folds]
    assert sum(map(len, tested)) == len(positives) and set.union(*tested) == positives
    assert max(map(len, tested)) - min(map(len, tested)) <= 1
    assert (data.table[LABELS[kind]] == 1).all()


@pytest.mark.parametrize("kind", LABELS)
def test_published_counts_are_those_of_the_first_fold(kind):
    """2,669 and 6,012 positive images, of which the last folds have one less."""
    from prior_bench.data.cards import card

    total = {"siim_acr": 2669, "rsna_pneumonia": 6012}[kind]
    sizes = [len(range(fold, total, 5)) for fold in range(5)]
    counts = card(kind).published["prior"]
    assert counts["images"] == counts[f"positive: {LABELS[kind]}"] == (sum(sizes[2:]), sizes[1], sizes[0])


@pytest.mark.parametrize("kind", [*LABELS, "chexpert"])
def test_classification_is_6_2_2_by_patient_and_drawn_by_seed(files, kind):
    one, again, other = (read(files, kind, f"prior_classification:{seed}") for seed in (3, 3, 4))
    assert one.fingerprint() == again.fingerprint() != other.fingerprint()
    patients = one.table.groupby("split")["patient_id"].agg(set)
    assert len(patients["train"] | patients["valid"] | patients["test"]) == sum(map(len, patients))
    number = one.table["patient_id"].nunique()
    for part, share in (("train", 0.6), ("valid", 0.2), ("test", 0.2)):
        assert len(patients[part]) == pytest.approx(share * number, abs=2)
    assert ids(one, "test") != ids(other, "test") and set(one.table["id"]) == set(other.table["id"])
    if kind in LABELS:
        positive = one.table.groupby("split")[LABELS[kind]].mean()
        assert positive.max() - positive.min() < 0.02


def test_5x200_is_drawn_with_the_author_s_seeds(files):
    drawn = [read(files, "chexpert_5x200", f"prior_draws:{seed}", per_class=20) for seed in range(5)]
    assert all(len(data) == 100 and (data.table["split"] == "test").all() for data in drawn)
    assert len({data.fingerprint() for data in drawn}) == 5
    for seed, data in enumerate(drawn):
        plain = read(files, "chexpert_5x200", "prior", per_class=20, seed=114_514 + seed)
        assert list(data.table["id"]) == list(plain.table["id"])


def test_the_name_alone_is_the_first_fold(files):
    assert read(files, "siim_acr", "prior").fingerprint() == read(files, "siim_acr", "prior:0").fingerprint()


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("prior:5", "there is no fold 5: the 5 folds are numbered from 0"),
        ("lovt:1", "split rule 'lovt' makes one split, and none for seed 1"),
        ("pryor:1", "unknown split rule 'pryor'"),
        ("prior:x", "unknown split rule 'prior:x'"),
    ],
)
def test_what_cannot_be_split_is_said(files, split, message):
    with pytest.raises(BenchError, match=message):
        read(files, "siim_acr", split)


def test_too_few_positives():
    table = pd.DataFrame({"patient_id": list("abcdef"), "y": [1, 1, 1, 1, 0, 0]})
    with pytest.raises(BenchError, match=r"4 positive image\(s\) cannot make 5 folds"):
        positive_folds(table, "y", 0)


def test_names():
    assert split_name({"rule": "prior", "by_seed": True}, 3) == "prior:3"
    assert split_name({"rule": "prior", "by_seed": False}, 3) == split_name({"rule": "prior"}, 3) == "prior"
    assert split_name({}, 3) == "default"
    assert rule_and_draw("prior:3") == ("prior", 3) and rule_and_draw("prior") == ("prior", None)
    assert rule_and_draw(":3") == (":3", None)
    assert different_splits({"by_seed": True}, [4, 2]) == [4, 2] and different_splits({}, [4, 2]) == [4]
