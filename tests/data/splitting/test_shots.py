"""Few-shot draws: exact counts, nested, seeded, by patient, and independent of the order of rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.shots import (
    few_shot_parts,
    few_shot_rows,
    few_shot_summary,
    few_shot_validation,
    most_drawn,
    shortages,
)
from prior_bench.errors import ErrorList
from prior_bench.schema.protocol import FewShot

HOW = FewShot()
IMAGES = FewShot(draw="images")


def manifest(targets: np.ndarray, labels: tuple[str, ...], *, exclusive: bool, split="train") -> Manifest:
    """Three images per patient."""
    table = pd.DataFrame({"id": [f"{split}{n:03d}" for n in range(len(targets))]})
    table["patient_id"] = [f"{split[0]}{n // 3:03d}" for n in range(len(targets))]
    table["image"], table["split"] = table["id"] + ".png", split
    table[list(labels)] = targets.astype(float)
    return Manifest("planted", Path("unused"), table, labels=labels, exclusive=exclusive)


@pytest.fixture(scope="module")
def classes():
    """Three exclusive classes, of which the first is frequent."""
    number = np.random.default_rng(1).choice(3, 300, p=[0.7, 0.2, 0.1])
    return manifest(np.eye(3)[number], ("A", "B", "C"), exclusive=True)


@pytest.fixture(scope="module")
def findings():
    """Three findings that occur together; the third is rare."""
    random = np.random.default_rng(2)
    return manifest(random.random((300, 3)) < [0.5, 0.3, 0.08], ("A", "B", "C"), exclusive=False)


@pytest.mark.parametrize("how", [HOW, IMAGES])
@pytest.mark.parametrize("shots", [1, 4, 16])
def test_exactly_k_images_of_each_exclusive_class(classes, how, shots):
    drawn = classes.select(few_shot_rows(classes, shots, 0, how))
    assert drawn.targets().sum(0).tolist() == [shots] * 3
    assert len(drawn) == 3 * shots
    if how.draw == "patients":
        for name in classes.labels:
            of_class = drawn.table[drawn.table[name] == 1]
            assert of_class["patient_id"].nunique() == shots, "one image of each patient"


def test_a_draw_of_images_may_take_two_of_one_patient(classes):
    drawn = classes.select(few_shot_rows(classes, 16, 0, IMAGES)).table
    assert drawn["patient_id"].duplicated().any()


def test_one_label_gives_k_positives_and_k_negatives(findings):
    single = replace(findings, labels=("C",))
    drawn = single.select(few_shot_rows(single, 4, 0, HOW))
    assert len(drawn) == 8 and drawn.targets().sum() == 4


@pytest.mark.parametrize("shots", [1, 4, 8])
def test_several_labels_have_at_least_k_patients_each_and_k_without_finding(findings, shots):
    drawn = findings.select(few_shot_rows(findings, shots, 0, HOW))
    for name in findings.labels:
        assert drawn.table.loc[drawn.table[name] == 1, "patient_id"].nunique() >= shots
    assert (drawn.targets() == 0).all(1).sum() == shots
    assert len(drawn) <= most_drawn(3, shots) == 4 * shots
    # the rarest label is drawn first and completes no other one by chance, so that it has exactly k
    assert drawn.table.loc[drawn.table["C"] == 1, "patient_id"].nunique() == shots


def test_an_image_with_two_findings_counts_for_both():
    both = manifest(np.array([[1, 1], [0, 0]] * 6), ("A", "B"), exclusive=False)
    assert len(few_shot_rows(both, 2, 0, IMAGES)) == 4, "two with both findings, two without any"


@pytest.mark.parametrize("how", [HOW, IMAGES])
def test_nested_for_one_seed_and_different_for_another(classes, findings, how):
    for data in (classes, findings):
        drawn = [set(few_shot_rows(data, shots, 3, how)) for shots in (1, 2, 4, 8)]
        assert drawn[0] < drawn[1] < drawn[2] < drawn[3]
        assert set(few_shot_rows(data, 4, 3, how)) == drawn[2]
        assert set(few_shot_rows(data, 4, 4, how)) != drawn[2]
        fixed = how.model_copy(update={"seed": 3})
        assert set(few_shot_rows(data, 4, 99, fixed)) == drawn[2], "the protocol's seed replaces the run's"
    assert set(few_shot_rows(classes, 4, 3, HOW)) != set(few_shot_rows(classes, 4, 3, IMAGES))


@pytest.mark.parametrize("how", [HOW, IMAGES])
def test_the_order_of_rows_and_of_labels_does_not_matter(findings, how):
    wanted = set(findings.table["id"].iloc[few_shot_rows(findings, 4, 0, how)])
    mixed = findings.select(np.random.default_rng(0).permutation(len(findings)))
    mixed = replace(mixed, labels=("C", "A", "B"))
    assert set(mixed.table["id"].iloc[few_shot_rows(mixed, 4, 0, how)]) == wanted


def test_too_few_are_refused_with_name_and_count(findings):
    rare = findings.table["C"].astype(bool)
    patients = findings.table.loc[rare, "patient_id"].nunique()
    images = int(rare.sum())
    assert patients < images
    with pytest.raises(ErrorList) as raised:
        few_shot_rows(findings, images, 0, HOW)
    text = str(raised.value)
    assert f"{images} per class cannot be drawn" in text
    assert f"class 'C' has {patients} patients in the training split, not {images}" in text
    assert f"use at most {patients} per class, or set few_shot.draw to images" in text
    assert len(shortages(findings, images, HOW)) == 1 and not shortages(findings, images, IMAGES)
    assert not shortages(findings, patients, HOW)
    few_shot_rows(findings, patients, 0, HOW)  # all of them


def test_an_absent_class_and_absent_negatives_are_refused():
    all_ill = manifest(np.array([[1, 0], [1, 0], [1, 0]]), ("A", "B"), exclusive=False)
    told = [str(error) for error in shortages(all_ill, 1, IMAGES)]
    assert len(told) == 2
    assert "class 'B' has 0 images" in told[0] and "class 'no finding' has 0 images" in told[1]
    assert "choose labels that occur" in told[0]


def test_a_label_no_finding_stands_for_the_negatives():
    targets = np.array([[1, 0], [0, 1]] * 9)
    stated = manifest(targets, ("Edema", "No Finding"), exclusive=False)
    drawn = stated.select(few_shot_rows(stated, 3, 0, HOW))
    assert drawn.targets().sum(0).tolist() == [3, 3]


def test_unknown_labels_are_neither_positive_nor_negative():
    targets = np.array([[1.0], [0.0], [np.nan]] * 5)
    drawn = few_shot_rows(manifest(targets, ("A",), exclusive=False), 5, 0, IMAGES)
    assert len(drawn) == 10 and not np.isnan(targets[drawn]).any()


@pytest.mark.parametrize(
    ("validation", "shots", "per_class"),
    [("up_to_4", 1, 1), ("up_to_4", 4, 4), ("up_to_4", 16, 4), ("same_size", 16, 16), ("same_size", 2, 2)],
)
def test_validation_is_small_too(classes, validation, shots, per_class):
    rows = few_shot_validation(classes, shots, 0, FewShot(validation=validation))
    assert classes.select(rows).targets().sum(0).tolist() == [per_class] * 3


def test_full_validation_and_a_class_that_validation_lacks(classes):
    assert few_shot_validation(classes, 1, 0, FewShot(validation="full")).tolist() == list(range(300))
    without = classes.select((classes.table["C"] == 0).to_numpy())
    rows = few_shot_validation(without, 8, 0, HOW)
    assert without.select(rows).targets().sum(0).tolist() == [4, 4, 0]


def test_no_patient_is_in_training_and_validation(classes):
    shared = {"train": classes, "valid": classes, "test": classes}  # as rules of papers that share patients
    parts = few_shot_parts(shared, 4, 0, HOW)
    assert not set(parts["train"].table["patient_id"]) & set(parts["valid"].table["patient_id"])
    assert parts["test"] is classes
    assert few_shot_summary(parts, 4, 0, HOW) == {
        "shots": 4,
        "draw": "patients",
        "seed": 0,
        "validation": "up_to_4",
        "train": {"A": 4, "B": 4, "C": 4},
        "valid": {"A": 4, "B": 4, "C": 4},
    }


def test_labels_of_the_test_images_change_nothing(classes):
    test = manifest(np.eye(3)[np.arange(30) % 3], ("A", "B", "C"), exclusive=True, split="test")
    mixed = replace(test, table=test.table.assign(A=test.table["C"], C=test.table["A"]))
    valid = manifest(np.eye(3)[np.arange(90) % 3], ("A", "B", "C"), exclusive=True, split="valid")
    one, two = (
        few_shot_parts({"train": classes, "valid": valid, "test": t}, 2, 0, HOW) for t in (test, mixed)
    )
    for name in ("train", "valid"):
        assert one[name].table["id"].tolist() == two[name].table["id"].tolist()
