"""Label fractions: by patient, nested, stratified, seeded."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.fractions import label_fraction, training_part, validation_part
from prior_bench.errors import BenchError


@pytest.fixture(scope="module")
def manifest():
    rows = [
        {
            "id": f"{p}-{i}",
            "patient_id": f"p{p:03d}",
            "image": f"{p}-{i}.png",
            "split": "train",
            "y": float(p < 40),
        }
        for p in range(200)
        for i in range(1 + p % 4)
    ]
    return Manifest("toy", Path("unused"), pd.DataFrame(rows), labels=("y",))


def test_share_of_patients_with_all_their_images(manifest):
    part = label_fraction(manifest, 0.1, seed=0)
    assert part.table["patient_id"].nunique() == 20
    whole = manifest.table.groupby("patient_id").size()
    drawn = part.table.groupby("patient_id").size()
    assert (drawn == whole[drawn.index]).all()
    assert part.table.groupby("patient_id")["y"].first().sum() == pytest.approx(4, abs=1)


@pytest.mark.parametrize("by", ["patient_id", "id"])
def test_nested_for_one_seed_and_different_for_another(manifest, by):
    drawn = [set(label_fraction(manifest, f, seed=3, by=by).table["id"]) for f in (0.01, 0.1, 0.5, 1)]
    assert drawn[0] < drawn[1] < drawn[2] < drawn[3] == set(manifest.table["id"])
    assert set(label_fraction(manifest, 0.1, seed=4, by=by).table["id"]) != drawn[1]
    assert set(label_fraction(manifest, 0.1, seed=3, by=by).table["id"]) == drawn[1]


def test_never_empty_and_in_order(manifest):
    tiny = label_fraction(manifest, 0.0001, seed=0)
    assert tiny.table["patient_id"].nunique() == 1
    part = label_fraction(manifest, 0.3, seed=0).table["id"].tolist()
    assert part == [i for i in manifest.table["id"] if i in set(part)]


def test_rows_as_the_papers_draw_them(manifest):
    part = label_fraction(manifest, 0.1, seed=42, by="rows")
    expected = manifest.table.sample(frac=0.1, random_state=42)["id"].tolist()
    assert part.table["id"].tolist() == expected


def test_bad_input(manifest):
    for fraction in (0, -0.1, 1.5, 10):
        with pytest.raises(BenchError, match="not in"):
            label_fraction(manifest, fraction, seed=0)
    with pytest.raises(
        BenchError,
        match="way to draw a label fraction .study.\n  fix: .*known: choice, first, first_rounded, id",
    ):
        label_fraction(manifest, 0.1, seed=0, by="study")


def test_first_rows_and_the_first_share_of_the_validation(manifest):
    part = training_part(manifest, {"by": "first"}, 0.1, seed=5)
    assert part.table["id"].tolist() == manifest.table["id"].tolist()[: len(manifest) // 10]
    sampler = {"by": "first", "valid_share": 0.1}
    assert len(validation_part(manifest, sampler, 0.01)) == round(len(manifest) / 10)
    assert validation_part(manifest, sampler, 1.0) is manifest
    assert validation_part(manifest, {"by": "first"}, 0.01) is manifest


def test_the_share_of_the_validation_may_count_with_all_labels(manifest):
    sampler = {"by": "first", "valid_share": 0.1, "always_valid_share": True}
    kept = validation_part(manifest, sampler, 1.0)
    assert kept.table["id"].tolist() == manifest.table["id"].tolist()[: len(manifest) // 10]


def test_the_number_of_first_rows_is_rounded(manifest):
    assert len(training_part(manifest.select(np.arange(460)), {"by": "first"}, 0.01, seed=0)) == 4
    assert len(training_part(manifest.select(np.arange(460)), {"by": "first_rounded"}, 0.01, seed=0)) == 5


@pytest.mark.parametrize("by", ["choice", "rows"])
def test_the_last_of_several_draws_counts(manifest, by):
    stream = np.random.RandomState(3)
    drawn = [stream.choice(500, 50, replace=False) for _ in range(2)]
    for draws in (1, 2):
        part = training_part(manifest, {"by": by, "seed": 3, "draws": draws}, 0.1, seed=9)
        assert part.table["id"].tolist() == manifest.table["id"].to_numpy()[drawn[draws - 1]].tolist()


def test_choice_is_numpys_and_its_seed_may_be_the_protocols(manifest):
    expected = manifest.table["id"].to_numpy()[np.random.RandomState(42).choice(500, 50, replace=False)]
    for sampler, seed in (({"by": "choice"}, 42), ({"by": "choice", "seed": 42}, 7)):
        assert training_part(manifest, sampler, 0.1, seed).table["id"].tolist() == expected.tolist()


def test_stratified_rows_keep_the_share_of_positives(manifest):
    part = training_part(manifest, {"by": "stratified_rows", "seed": 42}, 0.1, seed=0)
    assert len(part) == 50
    assert part.table["y"].mean() == pytest.approx(manifest.table["y"].mean(), abs=0.02)


def test_balanced_keeps_all_positives_and_as_many_negatives(manifest):
    positives = int(manifest.table["y"].sum())
    whole = training_part(manifest, {"balanced": True, "seed": 1}, 1.0, seed=0)
    assert whole.table["y"].value_counts().to_dict() == {1.0: positives, 0.0: positives}
    tenth = training_part(manifest, {"balanced": True, "seed": 1}, 0.1, seed=0)
    assert len(tenth) == len(whole) // 10 and set(tenth.table["id"]) < set(whole.table["id"])


def test_listed_images(manifest, tmp_path):
    listed = replace(manifest, root=tmp_path)
    (tmp_path / "benchx").mkdir()
    place = tmp_path / "benchx" / "train_10.txt"
    with pytest.raises(BenchError, match="train_10.txt: this list is missing"):
        training_part(listed, {"by": "listed:benchx"}, 0.1, 0)
    place.write_text("some/folder/7-0.png\n3-1\n")
    assert training_part(listed, {"by": "listed:benchx"}, 0.1, 0).table["id"].tolist() == ["3-1", "7-0"]
    place.write_text("7-0.png\nnobody.png\n")
    with pytest.raises(BenchError, match="1 of 2 images there are not in the training split"):
        training_part(listed, {"by": "listed:benchx"}, 0.1, 0)


def two_labels(first, second):
    rows = len(first)
    table = pd.DataFrame({"id": [f"i{i}" for i in range(rows)], "patient_id": [f"p{i}" for i in range(rows)]})
    table = table.assign(image="x.png", split="train", A=first, B=second)
    return Manifest("two", "", table, labels=("A", "B"))


@pytest.mark.parametrize("by", ["rows", "choice", "first", "patient_id"])
def test_all_labels_are_all_rows_in_their_order(by):
    manifest = two_labels([0.0] * 12, [1.0] * 12)
    assert label_fraction(manifest, 1, seed=0, by=by).table["id"].tolist() == [f"i{i}" for i in range(12)]


def test_the_papers_draws_look_at_the_first_label():
    rng = np.random.default_rng(0)
    first, second = rng.permutation([1.0] * 20 + [0.0] * 60), rng.permutation([1.0] * 40 + [0.0] * 40)
    manifest = two_labels(first, second)
    for seed in range(5):
        drawn = label_fraction(manifest, 0.5, seed=seed, by="stratified_rows").table
        assert drawn["A"].value_counts().to_dict() == {0.0: 30, 1.0: 10}
    balanced = training_part(manifest, {"balanced": True}, 1, 0).table
    assert balanced["A"].value_counts().to_dict() == {0.0: 20, 1.0: 20}


def test_without_more_negatives_than_positives_nothing_is_drawn_before_the_fraction():
    """The stream of random numbers begins with the fraction then, as in MGCA's code."""
    manifest = two_labels([1.0, 0.0] * 10, [0.0] * 20)
    drawn = training_part(manifest, {"balanced": True}, 0.4, 7).table["id"]
    rows = np.concatenate([np.arange(0, 20, 2), np.arange(1, 20, 2)])
    chosen = np.random.RandomState(7).choice(rows, 8, replace=False)
    assert drawn.tolist() == [f"i{i}" for i in rows if i in chosen]
