import contextlib
import io

import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.metrics.box_matching import pairwise_iou
from prior_bench.metrics.detection import (
    FROC_BUDGETS,
    IOU_40_75,
    IOU_COCO,
    RECALLS,
    _froc_curve,
    ap_50,
    average_precision,
    coco_map,
    froc,
    froc_lovt,
    map_40_75,
    map_mgca_compat,
    score,
)
from prior_bench.metrics.detections import Detections, from_predictions


def detections(images, predicted, true, classes=1):
    """Rows (image, x1, y1, x2, y2, score[, label]) predicted, (image, x1, y1, x2, y2[, label]) true."""
    p = np.array([(*row, 0)[:7] for row in predicted], dtype=float).reshape(-1, 7)
    t = np.array([(*row, 0)[:6] for row in true], dtype=float).reshape(-1, 6)
    return Detections(
        images,
        classes,
        p[:, 0].astype(int),
        p[:, 1:5],
        p[:, 5],
        p[:, 6].astype(int),
        t[:, 0].astype(int),
        t[:, 1:5],
        t[:, 5].astype(int),
    )


BOX = (10, 10, 30, 30)
TRUE = [(0, *BOX), (1, *BOX)]
PERFECT = [(0, *BOX, 0.9), (1, *BOX, 0.8)]


def test_perfect_predictions_score_one():
    found = detections(4, PERFECT, TRUE)
    assert [f(found) for f in (map_40_75, coco_map, ap_50, map_mgca_compat, froc)] == [1, 1, 1, 1, 1]


def test_false_alarm_on_a_negative_image_lowers_map_but_not_mgcas():
    found = detections(4, [*PERFECT, (3, *BOX, 0.85)], TRUE)
    # precision is 1 up to recall 1/2 (51 of 101 levels) and 2/3 beyond
    assert map_40_75(found) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert map_mgca_compat(found) == 1


def test_missed_image_lowers_map_but_not_mgcas():
    found = detections(2, PERFECT[:1], TRUE)
    assert map_40_75(found) == pytest.approx(51 / 101)
    assert map_mgca_compat(found) == 1


def test_mgcas_confidence_threshold_decides_which_images_count():
    found = detections(2, [(0, *BOX, 0.9), (1, 50, 50, 60, 60, 0.4)], TRUE)
    assert map_mgca_compat(found) == 1
    assert map_mgca_compat(found, confidence=0.3) == pytest.approx(51 / 101)


def test_thresholds_select_by_overlap():
    # a box covering 60 % of the true one: hit at IoU 0.40 ... 0.60, missed beyond
    found = detections(1, [(0, 10, 10, 30, 22, 0.9)], [(0, *BOX)])
    assert pairwise_iou(found.box, found.truth_box)[0, 0] == pytest.approx(0.6)
    found = detections(1, [(0, 10, 10, 30, 22.5, 0.9)], [(0, *BOX)])
    assert map_40_75(found) == pytest.approx(5 / 8)
    assert coco_map(found) == pytest.approx(3 / 10)
    assert ap_50(found) == 1


def test_second_box_on_the_same_finding_is_a_false_positive():
    found = detections(
        1,
        [(0, *BOX, 0.9), (0, 11, 11, 31, 31, 0.8), (0, 60, 60, 80, 80, 0.7)],
        [(0, *BOX), (0, 60, 60, 80, 80)],
    )
    assert ap_50(found) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_nothing_found_and_nothing_to_find():
    assert map_40_75(detections(2, [], TRUE)) == 0
    assert np.isnan(map_40_75(detections(2, PERFECT, [])))
    assert froc(detections(2, [], TRUE)) == froc_lovt(detections(2, [], TRUE)) == 0


def test_class_matters_and_classes_without_truth_are_left_out():
    found = detections(2, [(0, *BOX, 0.9, 0), (1, *BOX, 0.8, 0)], [(0, *BOX, 0), (1, *BOX, 1)], classes=3)
    per_class = average_precision(found, (0.5,))[0]
    assert per_class[0] == 1 and per_class[1] == 0 and np.isnan(per_class[2])
    assert ap_50(found) == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_pycocotools(seed):
    found = random_detections(seed)
    for thresholds in (IOU_40_75, IOU_COCO):
        ours = average_precision(found, thresholds)
        theirs = pycocotools_precision(found, thresholds)
        np.testing.assert_allclose(ours, theirs, atol=1e-9)


def random_detections(seed, images=25, classes=2):
    rng = np.random.default_rng(seed)
    predicted, true = [], []
    for image in range(images):
        for _ in range(rng.integers(0, 4)):
            x, y, w, h = *rng.uniform(0, 60, 2), *rng.uniform(10, 40, 2)
            label = rng.integers(classes)
            true.append((image, x, y, x + w, y + h, label))
            for _ in range(rng.integers(0, 3)):
                dx, dy, dw, dh = rng.normal(0, 4, 4)
                w, h = max(w + dw, 5), max(h + dh, 5)  # pycocotools ignores boxes of negative area
                predicted.append((image, x + dx, y + dy, x + dx + w, y + dy + h, rng.random(), label))
        for _ in range(rng.integers(0, 3)):
            x, y, w, h = *rng.uniform(0, 60, 2), *rng.uniform(10, 40, 2)
            predicted.append((image, x, y, x + w, y + h, round(rng.random(), 1), rng.integers(classes)))
    return detections(images, predicted, true, classes)


def pycocotools_precision(found, thresholds):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(sample, box, label):
        wh = np.concatenate([box[:, :2], box[:, 2:] - box[:, :2]], axis=1)
        return [
            dict(image_id=int(s) + 1, category_id=int(c) + 1, bbox=b.tolist())
            for s, b, c in zip(sample, wh, label, strict=True)
        ]

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = dict(
            images=[dict(id=i + 1) for i in range(found.images)],
            categories=[dict(id=c + 1) for c in range(found.classes)],
            annotations=[
                dict(row, id=i + 1, area=row["bbox"][2] * row["bbox"][3], iscrowd=0)
                for i, row in enumerate(rows(found.truth_sample, found.truth_box, found.truth_label))
            ],
        )
        truth.createIndex()
        predicted = rows(found.sample, found.box, found.label)
        results = truth.loadRes(
            [dict(r, score=float(s)) for r, s in zip(predicted, found.score, strict=True)]
        )
        evaluation = COCOeval(truth, results, "bbox")
        evaluation.params.iouThrs = np.asarray(thresholds)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=1)  # all areas, 100 detections


def test_froc_counts_centres_in_boxes_at_false_positive_budgets():
    # 2 images, falling score: hit, miss, miss, hit; centres decide, not overlap
    found = detections(
        2,
        [
            (0, 19, 19, 21, 21, 0.9),
            (0, 70, 70, 80, 80, 0.8),
            (1, 70, 70, 80, 80, 0.7),
            (1, 0, 0, 60, 30, 0.6),
        ],
        [(0, *BOX), (1, 25, 10, 45, 30)],
    )
    # below 0.5 FP per image only the first hit is in; from 1 FP per image on both are
    assert froc(found) == pytest.approx((0.5 * 3 + 1 * 4) / 7)
    # LoVT records on reaching a budget: 0.5 up to 1, and repeats it for 2, 4 and 8, never reached
    assert froc_lovt(found) == pytest.approx(0.5)


def test_one_prediction_may_hit_several_boxes():
    found = detections(1, [(0, 18, 18, 22, 22, 0.9)], [(0, *BOX), (0, 15, 15, 40, 40)])
    assert froc(found) == 1


def test_unknown_name_suggests():
    with pytest.raises(BenchError, match="map_40_75"):
        score(detections(1, [], []), ("map_40_70",))


def test_boxes_that_do_not_overlap_share_nothing():
    first = np.array([[0.0, 0, 10, 10]])
    for other in ([[20.0, 20, 30, 30]], [[10.5, 10.5, 11, 11]], [[0, 10, 10, 20]], [[10.2, 0, 20, 10]]):
        assert pairwise_iou(first, np.array(other)) == 0
    assert pairwise_iou(first, np.array([[9.5, 9.5, 10.5, 10.5]]))[0, 0] == pytest.approx(0.25 / 100.75)


def test_boxes_smaller_than_a_pixel():
    small = np.array([[0, 0, 0.5, 0.5]])
    assert pairwise_iou(small, small) == 1
    point = np.zeros((1, 4))
    with np.errstate(all="raise"):
        assert pairwise_iou(point, point) == 0


def test_stored_predictions_come_back_as_they_were():
    found = detections(3, [*PERFECT, (2, 1, 2, 3, 4, 0.5)], TRUE)
    for flat in (False, True):
        arrays = {
            "id": np.array(["a", "b", "c"]),
            "meta_classes": np.array(["x"]),
            "flat_sample": found.sample,
            "flat_box": found.box.ravel() if flat else found.box,
            "flat_score": found.score,
            "flat_label": found.label,
            "truth_sample": found.truth_sample,
            "truth_box": found.truth_box.ravel() if flat else found.truth_box,
            "truth_label": found.truth_label,
        }
        for one, other in zip(from_predictions(arrays), found, strict=True):
            np.testing.assert_array_equal(one, other)


def test_of_two_predictions_of_one_score_the_first_of_the_image_counts():
    predicted = [(0, *BOX, 0.9), (0, 11, 11, 31, 31, 0.9), (0, 60, 60, 80, 80, 0.7)]
    found = detections(1, predicted, [(0, *BOX), (0, 60, 60, 80, 80)])
    assert ap_50(found) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_budgets_of_false_positives_and_the_levels_of_recall():
    assert FROC_BUDGETS == (1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8)
    np.testing.assert_allclose(RECALLS, np.arange(101) / 100)


def test_without_an_image_that_counts_mgcas_metric_is_zero():
    assert map_mgca_compat(detections(2, [(0, *BOX, 0.4)], TRUE)) == 0
    assert map_mgca_compat(detections(3, [(2, *BOX, 0.9)], TRUE)) == 0


def test_without_false_alarms_lovts_froc_is_the_final_sensitivity():
    assert froc_lovt(detections(2, PERFECT, TRUE)) == 1
    assert froc_lovt(detections(2, PERFECT[:1], TRUE)) == 0.5


def test_a_centre_counts_in_its_own_image_and_for_its_own_class():
    wide = (0, 0, 60, 20)
    here = (45, 5, 55, 15)
    assert froc(detections(2, [(0, *here, 0.9)], [(0, *wide)])) == 1
    assert froc(detections(2, [(1, *here, 0.9)], [(0, *wide)])) == 0
    assert froc(detections(1, [(0, *here, 0.9, 1)], [(0, *wide, 0)], classes=2)) == 0
    tall = (0, 0, 20, 60)
    assert froc(detections(1, [(0, 5, 45, 15, 55, 0.9)], [(0, *tall)])) == 1


def curve_by_counting(found):
    """FROC's sensitivity and false positives, one prediction after the other."""
    centre = (found.box[:, :2] + found.box[:, 2:]) / 2
    hit, sensitivity, false = np.zeros(len(found.truth_box), dtype=bool), [0.0], [0]
    for row in np.argsort(-found.score, kind="stable"):
        inside = (found.truth_sample == found.sample[row]) & (found.truth_label == found.label[row])
        inside &= (centre[row] >= found.truth_box[:, :2]).all(1) & (
            centre[row] <= found.truth_box[:, 2:]
        ).all(1)
        hit |= inside
        sensitivity.append(float(hit.mean()))
        false.append(false[-1] + int(not inside.any()))
    return np.array(sensitivity), np.array(false)


@pytest.mark.parametrize("seed", range(5))
def test_the_froc_curve_is_that_of_counting(seed):
    found = random_detections(seed)
    shuffled = np.random.default_rng(seed).permutation(len(found.truth_box))  # boxes need not be in order
    found = found._replace(
        score=found.score.round(1),  # with ties
        truth_box=found.truth_box[shuffled],
        truth_sample=found.truth_sample[shuffled],
        truth_label=found.truth_label[shuffled],
    )
    sensitivity, false = curve_by_counting(found)
    assert 0 < sensitivity[-1] < 1 and false[-1] > 0
    for ours, counted in zip(_froc_curve(found), (sensitivity, false), strict=True):
        np.testing.assert_array_equal(ours, counted)


def test_no_predictions_give_the_beginning_of_the_froc_curve():
    assert [list(part) for part in _froc_curve(detections(2, [], TRUE))] == [[0.0], [0]]
