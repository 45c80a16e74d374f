"""What lies exactly on a boundary: thresholds, overlaps, budgets, ranks, shares of the training data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting.fractions import label_fraction, training_part, validation_part
from prior_bench.data.splitting.rules import by_group, count_of
from prior_bench.errors import BenchError
from prior_bench.metrics import classification, detection, retrieval

BOX = (0.0, 0.0, 10.0, 10.0)
ELSEWHERE = (50.0, 50.0, 60.0, 60.0)


# --- classification thresholds ----------------------------------------------------------------------------


def threshold(scores, labels) -> float:
    score, target = (np.array(values, dtype=np.float32)[:, None] for values in (scores, labels))
    return float(classification.best_f1_thresholds(score, target)[0])


def test_the_f1_threshold_lies_halfway_between_two_scores():
    # both positives and nothing else: between 0.5 and 0.25
    assert threshold([0.75, 0.5, 0.25, 0.125], [1, 1, 0, 0]) == 0.375
    # the order of the rows does not matter
    assert threshold([0.125, 0.75, 0.25, 0.5], [0, 1, 0, 1]) == 0.375


def test_the_f1_threshold_separates_neighbouring_float32_scores():
    high = np.float32(0.3)
    low = np.nextafter(high, np.float32(0))
    score, target = np.array([[high], [low]]), np.array([[1.0], [0.0]])
    found = classification.best_f1_thresholds(score, target)
    assert (score >= found).tolist() == [[True], [False]]


def test_equal_scores_are_never_cut_in_two():
    # a cut within the three 0.5 would look better than any that can be made
    assert threshold([0.75, 0.5, 0.5, 0.5, 0.25], [1, 1, 0, 0, 0]) == 0.625


def test_of_equally_good_f1_thresholds_the_highest_is_taken():
    # F1 is 2/3 for the first alone (1 of 2 found, no false alarm) and for all four (2 of 4)
    assert threshold([0.8, 0.6, 0.4, 0.2], [1, 0, 0, 1]) == pytest.approx(0.7)


def test_where_all_are_best_called_positive_the_lowest_score_is_the_threshold():
    assert threshold([0.75, 0.5, 0.25], [0, 0, 1]) == 0.25


def test_a_score_on_the_threshold_is_positive():
    score, target = np.array([[0.5], [0.25]]), np.array([[1.0], [0.0]])
    names = ("accuracy", "f1_at_half", "f1_class_1", "f1", "accuracy_at_threshold")
    values = classification.evaluate(score, target, ("A",), names)
    assert [values[name] for name in names] == [1, 1, 1, 1, 1]
    given = classification.evaluate(score, target, ("A",), ("f1",), thresholds=np.array([0.25]))
    assert given["f1"] == pytest.approx(2 / 3), "0.25 is positive at a threshold of 0.25, and wrongly so"


# --- detection --------------------------------------------------------------------------------------------


def detections(predicted, true, images=1, classes=1) -> detection.Detections:
    """Rows (image, box, score[, label]) predicted, (image, box[, label]) true."""
    rows = [(image, box, score, *(label or (0,))) for image, box, score, *label in predicted]
    truth = [(image, box, *(label or (0,))) for image, box, *label in true]
    return detection.Detections(
        images,
        classes,
        np.array([row[0] for row in rows], dtype=int),
        np.array([row[1] for row in rows], dtype=float).reshape(-1, 4),
        np.array([row[2] for row in rows], dtype=float),
        np.array([row[3] for row in rows], dtype=int),
        np.array([row[0] for row in truth], dtype=int),
        np.array([row[1] for row in truth], dtype=float).reshape(-1, 4),
        np.array([row[2] for row in truth], dtype=int),
    )


@pytest.mark.parametrize("metric", [detection.ap_50, detection.map_40_75, detection.coco_map])
@pytest.mark.parametrize("rank, counts", [(100, True), (101, False)])
def test_the_hundredth_detection_of_an_image_counts_and_the_next_does_not(metric, rank, counts):
    false = [(0, ELSEWHERE, 0.9) for _ in range(rank - 1)]
    found = metric(detections([*false, (0, BOX, 0.5)], [(0, BOX)]))
    # a single hit at the end: its precision at every level of recall
    assert found == pytest.approx(1 / 100 if counts else 0)


def test_detections_are_counted_for_each_image_and_class():
    false = [(0, ELSEWHERE, 0.9, 0) for _ in range(100)]
    for true in ((1, BOX), (0, BOX, 1)):
        image, box, *label = true
        found = detections([*false, (image, box, 0.5, *label)], [true], images=2, classes=2)
        expected = (
            1 / 101 if image == 1 else 1.0
        )  # another image: behind the false ones; another class: alone
        assert detection.ap_50(found) == pytest.approx(expected)


@pytest.mark.parametrize("height, counts", [(10.0, True), (9.999, False)])
def test_an_overlap_of_exactly_the_threshold_is_a_hit(height, counts):
    found = detections([(0, (0, 0, 10, height), 0.9)], [(0, (0, 0, 10, 20))])
    assert detection.ap_50(found) == counts


def test_the_overlaps_that_are_averaged_over():
    assert pytest.approx([0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75]) == list(detection.IOU_40_75)
    assert pytest.approx([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]) == list(detection.IOU_COCO)
    # boxes that cover exactly so much of a box of height 20: each threshold is reached, and no more than it
    for thresholds in (detection.IOU_40_75, detection.IOU_COCO):
        for reached, overlap in enumerate(thresholds, 1):
            one = detections([(0, (0, 0, 10, 20 * (overlap + 1e-9)), 0.9)], [(0, (0, 0, 10, 20))])
            assert detection.mean_average_precision(one, thresholds) == pytest.approx(
                reached / len(thresholds)
            )


@pytest.mark.parametrize("images, false_alarms, budgets_missed", [(8, 1, 0), (8, 2, 1), (4, 1, 1), (1, 8, 6)])
def test_a_budget_of_false_positives_may_be_used_up(images, false_alarms, budgets_missed):
    """The hit comes after so many false alarms: it counts at each budget that allows exactly as many."""
    false = [(0, ELSEWHERE, 0.9) for _ in range(false_alarms)]
    found = detections([*false, (0, BOX, 0.5)], [(0, BOX)], images=images)
    assert detection.froc(found) == pytest.approx((7 - budgets_missed) / 7)


def test_lovts_froc_records_when_a_budget_is_just_reached():
    # a false alarm, a hit, a false alarm in 8 images: 1/8 is reached before the hit and 1/4 after it
    found = detections([(0, ELSEWHERE, 0.9), (0, BOX, 0.8), (0, ELSEWHERE, 0.7)], [(0, BOX)], images=8)
    assert detection.froc_lovt(found) == pytest.approx(6 / 7)
    assert detection.froc(found) == 1


@pytest.mark.parametrize("centre, counts", [(10.0, True), (10.01, False), (0.0, True), (-0.01, False)])
def test_a_centre_on_the_edge_of_a_box_is_in_it(centre, counts):
    for box in ((centre - 2, 3, centre + 2, 7), (3, centre - 2, 7, centre + 2)):
        assert detection.froc(detections([(0, box, 0.9)], [(0, BOX)])) == counts


def test_a_confidence_of_exactly_one_half_counts_for_mgca():
    two = [(0, BOX), (1, BOX)]
    found = detections([(0, BOX, 0.9), (1, ELSEWHERE, 0.5)], two, images=2)
    assert detection.map_mgca_compat(found) == pytest.approx(51 / 101), "the second image is not left out"
    below = detections([(0, BOX, 0.9), (1, ELSEWHERE, 0.49)], two, images=2)
    assert detection.map_mgca_compat(below) == 1


# --- retrieval --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", retrieval.KS)
def test_the_kth_place_counts_and_the_next_does_not(k):
    similarity = -np.arange(20.0)[None]
    assert retrieval.recall_at(k, retrieval.ranks(similarity, np.array([k - 1]))) == 1
    assert retrieval.recall_at(k, retrieval.ranks(similarity, np.array([k]))) == 0


def test_ties_across_the_kth_place_count_in_part():
    # four candidates share the places 4 to 7: two of them lie within the first five
    similarity = np.array([[9.0, 8, 7, 5, 5, 5, 5, 1, 0, 0]])
    found = retrieval.ranks(similarity, np.array([4]))
    assert found.rank.tolist() == [5.5] and found.ties.tolist() == [3]
    assert [retrieval.recall_at(k, found) for k in (1, 5, 10)] == [0, 0.5, 1]
    # on its edges the tie counts wholly or not at all
    for k, expected in ((3, 0), (4, 0.25), (7, 1)):
        assert retrieval.recall_at(k, found) == expected


# --- shares of the training data --------------------------------------------------------------------------


def rows(patients: int, images: int = 1) -> Manifest:
    table = pd.DataFrame(
        {
            "id": [f"i{i}" for i in range(patients * images)],
            "patient_id": [f"p{i // images}" for i in range(patients * images)],
            "image": "x.png",
            "split": "train",
            "A": 0.0,
        }
    )
    return Manifest("rows", "", table, labels=("A",))


@pytest.mark.parametrize(
    "patients, fraction, kept",
    [
        (100, 0.01, 1),
        (100, 0.014, 1),
        (100, 0.016, 2),  # the nearest, not the next below
        (100, 0.29, 29),  # 0.29 * 100 is a little below 29
        (10, 0.25, 2),  # halves go to the even number
        (10, 0.35, 4),
        (10, 0.04, 1),  # one at least
        (3, 0.01, 1),
        (10, 0.96, 10),
    ],
)
def test_a_fraction_is_rounded_to_the_nearest_number_of_patients(patients, fraction, kept):
    for images in (1, 3):
        part = label_fraction(rows(patients, images), fraction, seed=0)
        assert part.table["patient_id"].nunique() == kept and len(part) == kept * images


@pytest.mark.parametrize("by", ["choice", "first"])
@pytest.mark.parametrize("count, fraction, kept", [(10, 0.19, 1), (10, 0.04, 1), (100, 0.01, 1), (9, 0.5, 4)])
def test_the_papers_cut_their_fractions_off(by, count, fraction, kept):
    part = label_fraction(rows(count), fraction, seed=42, by=by)
    assert len(part) == kept
    if by == "first":
        assert part.table["id"].tolist() == [f"i{i}" for i in range(kept)]


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01])
def test_fractions_lie_above_zero_and_not_above_one(fraction):
    with pytest.raises(BenchError, match="not in"):
        label_fraction(rows(4), fraction, seed=0)
    assert len(label_fraction(rows(4), 1, seed=0)) == 4


def test_balanced_training_keeps_at_least_one_and_cuts_off():
    train = rows(40)
    train = replace(train, table=train.table.assign(A=[1.0] * 15 + [0.0] * 25))
    sampler = {"balanced": True}
    assert training_part(train, sampler, 1, 0).table["A"].value_counts().to_dict() == {1.0: 15, 0.0: 15}
    assert len(training_part(train, sampler, 0.39, 0)) == 11  # of 30
    assert len(training_part(train, sampler, 0.01, 0)) == 1
    # more positives than negatives: all stay
    many = replace(train, table=train.table.assign(A=[1.0] * 25 + [0.0] * 15))
    assert len(training_part(many, sampler, 1, 0)) == 40


def test_the_validation_share_is_the_nearest_number_of_the_first_rows():
    sampler = {"valid_share": 0.26}
    assert validation_part(rows(10), sampler, 0.1).table["id"].tolist() == ["i0", "i1", "i2"]
    assert len(validation_part(rows(10), {"valid_share": 0.01}, 0.1)) == 1
    assert len(validation_part(rows(10), sampler, 1)) == 10, "with all labels all of it"
    assert len(validation_part(rows(10), {}, 0.1)) == 10


def test_splits_are_rounded_to_the_nearest_patient():
    split = by_group(rows(11).table, {"train": 0.7, "valid": 0.1, "test": 0.2})["split"]
    # 7.7 and 8.8 of 11
    assert split.value_counts().to_dict() == {"train": 8, "valid": 1, "test": 2}


def test_counts_of_papers_as_shares_are_at_least_one():
    assert count_of(5000, 20000, 10, "fixed") == 5000
    assert count_of(5000, 20000, 10, "shares") == 2  # halves go to the even number
    assert count_of(5000, 20000, 11, "shares") == 3
    assert count_of(1, 20000, 10, "shares") == 1
    with pytest.raises(BenchError, match="did you mean fixed"):
        count_of(1, 1, 1, "fixd")
