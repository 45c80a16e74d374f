import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.metrics.segmentation import (
    METRICS,
    Counts,
    count,
    count_packed,
    dice_micro,
    dice_per_image_empty1,
    dice_positives,
    iou,
    mdice,
    score,
    trivial,
)


def counts(*rows):
    return Counts(*(np.array(column) for column in zip(*rows, strict=True)))


# tp, fp, fn, tn of four images of 100 pixels
HALF = (10, 10, 10, 70)  # Dice 20 / 40 = 1/2
PERFECT = (20, 0, 0, 80)
NEGATIVE_EMPTY = (0, 0, 0, 100)
NEGATIVE_ALARM = (0, 5, 0, 95)


def test_hand_computed_values():
    c = counts(HALF, PERFECT, NEGATIVE_EMPTY, NEGATIVE_ALARM)
    assert dice_per_image_empty1(c) == pytest.approx((0.5 + 1 + 1 + 0) / 4)
    assert dice_positives(c) == pytest.approx((0.5 + 1) / 2)
    assert dice_micro(c) == pytest.approx(60 / (60 + 15 + 10))
    assert mdice(c) == pytest.approx((60 / 85 + 690 / (690 + 25)) / 2)
    assert iou(c) == pytest.approx(30 / 55)


def test_all_empty_on_rsna_scores_the_share_of_negatives():
    # MGCA's RSNA test split: 4086 of 5337 images are negative; protocols call the result 76.6
    positive, negative = 5337 - 4086, 4086
    targets = counts(*[(0, 0, 500, 49676)] * positive, *[(0, 0, 0, 50176)] * negative)
    values = trivial(targets, tuple(METRICS))["all_empty"]
    assert round(100 * values["dice_per_image_empty1"], 1) == 76.6
    assert values["dice_micro"] == values["dice_positives"] == values["iou"] == 0
    assert 0.49 < values["mdice"] < 0.5


def test_all_foreground_is_the_dice_of_the_foreground_share():
    values = trivial(counts(HALF, PERFECT, NEGATIVE_EMPTY), ("dice_micro", "dice_per_image_empty1"))
    assert values["all_foreground"]["dice_micro"] == pytest.approx(2 * 40 / (300 + 40))
    assert values["all_foreground"]["dice_per_image_empty1"] == pytest.approx((40 / 120 + 40 / 120 + 0) / 3)


@pytest.mark.parametrize("name", METRICS)
def test_perfect_prediction_is_one(name):
    assert METRICS[name](counts(PERFECT, NEGATIVE_EMPTY)) == 1


def test_without_any_foreground():
    c = counts(NEGATIVE_EMPTY, NEGATIVE_EMPTY)
    assert all(np.isnan(value) for value in score(c, tuple(METRICS)).values())


def test_counts_agree_with_sklearn_and_with_packed_bits():
    from sklearn.metrics import confusion_matrix

    rng = np.random.default_rng(0)
    prediction, target = rng.random((2, 5, 13, 13)) > 0.6
    c = count(prediction, target)
    for i in range(5):
        tn, fp, fn, tp = confusion_matrix(target[i].ravel(), prediction[i].ravel()).ravel()
        assert (c.tp[i], c.fp[i], c.fn[i], c.tn[i]) == (tp, fp, fn, tn)
    packed = [np.packbits(masks.reshape(5, -1), axis=1) for masks in (prediction, target)]
    for ours, theirs in zip(count_packed(*packed, 169), c, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_order_of_images_does_not_matter():
    rng = np.random.default_rng(1)
    c = Counts(*rng.integers(0, 50, (4, 20)))
    shuffled = Counts(*(column[::-1] for column in c))
    assert score(c, tuple(METRICS)) == pytest.approx(score(shuffled, tuple(METRICS)))


def test_unknown_name_suggests():
    with pytest.raises(BenchError, match="dice_micro"):
        score(counts(HALF), ("dice_macro",))


def test_images_with_a_single_pixel():
    one = np.zeros((3, 4, 4), bool)
    one[0, 0, 0] = True  # found
    target = one.copy()
    target[1, 2, 2] = True  # missed
    prediction = one.copy()
    prediction[2, 3, 3] = True  # a false alarm
    found = count(prediction, target)
    assert [list(values) for values in found] == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [15, 15, 15]]
    assert dice_positives(found) == 0.5
    assert dice_per_image_empty1(found) == pytest.approx(1 / 3)
    with np.errstate(all="raise"):
        assert dice_per_image_empty1(count(one, one)) == 1


def test_full_bytes_are_eight_pixels():
    full = np.full((1, 2), 255, np.uint8)
    assert [int(v[0]) for v in count_packed(full, full, 16)] == [16, 0, 0, 0]
    assert [int(v[0]) for v in count_packed(full, np.uint8([[128, 1]]), 16)] == [2, 14, 0, 0]


def test_half_found_foreground_is_foreground():
    found = Counts(*(np.array([n]) for n in (5, 0, 5, 90)))
    assert iou(found) == 0.5 and dice_micro(found) == pytest.approx(2 / 3)
    assert score(found, tuple(METRICS)) == pytest.approx({n: METRICS[n](found) for n in METRICS})
    assert dice_per_image_empty1(found) == pytest.approx(2 / 3)
