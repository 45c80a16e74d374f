"""Grounding metrics on maps that can be scored by hand."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from prior_bench.errors import BenchError
from prior_bench.metrics import grounding
from prior_bench.metrics.grounding import DESCRIBED, METRICS, Grounded

NAN = float("nan")
BOX = np.array([[2.0, 1.0, 5.0, 3.0]])
REGION = np.zeros((6, 8), bool)
REGION[1:3, 2:5] = True
"""What the box encloses: 6 of 48 pixels."""


def grounded(heat, region=REGION, boxes=BOX):
    return Grounded(np.asarray(heat, np.float32), region, boxes)


def noise(seed=0, shape=(6, 8)):
    return np.random.default_rng(seed).random(shape).astype(np.float32)


# --- the mask itself, its negative, a constant ------------------------------------------------------------


def test_the_region_as_its_own_map_is_perfect():
    found = grounded(REGION)
    assert grounding.pixel_auroc(found) == grounding.pointing_game(found) == 1
    assert grounding.miou(found) == grounding.miou_biovil(found) == 1
    assert grounding.map_10_50(found) == pytest.approx(1)
    assert np.isnan(grounding.cnr(found)), "there is no noise to compare the contrast with"


def test_the_negative_of_the_region_is_as_wrong_as_can_be():
    found = grounded(~REGION)
    assert grounding.pixel_auroc(found) == grounding.pointing_game(found) == 0
    assert grounding.miou(found) == 0


def test_a_constant_map_is_chance():
    found = grounded(np.full(REGION.shape, 0.3))
    assert grounding.pixel_auroc(found) == 0.5
    assert grounding.pointing_game(found) == pytest.approx(6 / 48)
    assert grounding.cnr(found) == grounding.cnr_absolute(found) == 0
    assert grounding.miou(found) == grounding.map_10_50(found) == 0


# --- one by one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_pixel_auroc_is_scikit_learns(seed):
    heat = noise(seed).round(1)  # with ties
    expected = roc_auc_score(REGION.ravel(), heat.ravel())
    assert grounding.pixel_auroc(grounded(heat)) == pytest.approx(expected)
    heat[:, 0] = np.nan
    valid = np.isfinite(heat)
    expected = roc_auc_score(REGION[valid], heat[valid])
    assert grounding.pixel_auroc(grounded(heat)) == pytest.approx(expected), "padding does not count"


@pytest.mark.parametrize(
    "peaks, expected",
    [([(1, 2)], 1), ([(0, 0)], 0), ([(1, 2), (0, 0)], 1 / 2), ([(1, 2), (2, 4), (5, 7)], 2 / 3)],
)
def test_of_several_highest_pixels_their_share_in_the_region_counts(peaks, expected):
    heat = np.zeros(REGION.shape)
    for y, x in peaks:
        heat[y, x] = 1
    assert grounding.pointing_game(grounded(heat)) == pytest.approx(expected)


def test_the_highest_pixel_of_padding_does_not_count():
    heat = np.zeros(REGION.shape)
    heat[2, 3], heat[5, 7] = 1, np.nan
    assert grounding.pointing_game(grounded(heat)) == 1


def test_cnr_by_hand():
    heat = np.zeros((1, 6))
    heat[0] = [1, 3, 0, 0, 2, 2]
    region = np.array([[True, True, False, False, False, False]])
    # inside: mean 2, variance 1; outside: mean 1, variance 1
    found = grounded(heat, region)
    assert grounding.cnr(found) == pytest.approx(1 / np.sqrt(2))
    opposite = grounded(-heat, region)
    assert grounding.cnr(opposite) == pytest.approx(-1 / np.sqrt(2))
    assert grounding.cnr_absolute(opposite) == pytest.approx(1 / np.sqrt(2))


def test_cnr_and_miou_do_not_depend_on_the_scale_of_a_map():
    heat = noise()
    for name in ("cnr", "miou", "pixel_auroc", "pointing_game", "map_10_50"):
        one, other = (METRICS[name](grounded(values)) for values in (heat, 7 * heat - 3))
        assert one == pytest.approx(other, abs=1e-5), name
    assert grounding.miou_biovil(grounded(heat)) != grounding.miou_biovil(grounded(heat / 2))


def test_miou_by_hand():
    heat = np.zeros((1, 10), np.float32)
    heat[0] = [1.0, 0.35, 0.15, 0.05, 0, 0.45, 0, 0, 0, 0]
    region = np.zeros((1, 10), bool)
    region[0, :4] = True
    # above 0.1: 3 inside, 1 outside; 0.2: 2, 1; 0.3: 2, 1; 0.4: 1, 1; 0.5: 1, 0
    expected = np.mean([3 / 5, 2 / 5, 2 / 5, 1 / 5, 1 / 4])
    assert grounding.miou(grounded(heat, region)) == pytest.approx(expected)
    assert grounding.miou_biovil(grounded(heat, region)) == pytest.approx(expected)


@pytest.mark.parametrize("value, counts", [(0.5, False), (0.50001, True)])
def test_a_pixel_on_a_threshold_is_not_above_it(value, counts):
    heat = np.array([[value, 0.0]])
    region = np.array([[True, False]])
    assert grounding.miou_biovil(grounded(heat, region)) == pytest.approx(1 if counts else 4 / 5)


def test_boxes_of_a_map():
    heat = np.zeros((6, 8))
    heat[1:3, 2:5] = 0.8
    heat[5, 7] = 1.0
    heat[4, 6] = 0.9  # touches it at a corner alone
    heat[0, 0] = 0.5  # half of the range is not above it
    boxes, peaks = grounding.map_boxes(heat)
    assert boxes.tolist() == [[2, 1, 5, 3], [6, 4, 7, 5], [7, 5, 8, 6]]
    assert peaks.tolist() == pytest.approx([0.8, 0.9, 1.0])
    # the true box comes third: precision 1/3 at every recall
    assert grounding.map_10_50(grounded(heat)) == pytest.approx(1 / 3)


@pytest.mark.parametrize("rows, reached", [(6, 5), (5, 5), (4, 4), (3, 3), (2, 2), (1, 1)])
def test_each_iou_threshold_up_to_a_half_counts(rows, reached):
    """A map that fills so many of ten rows of the box: the IoU is a tenth of it."""
    heat = np.zeros((10, 6))
    heat[:rows, :3] = 1
    found = grounded(heat, np.zeros((10, 6), bool), np.array([[0.0, 0, 3, 10]]))
    assert grounding.map_10_50(found) == pytest.approx(reached / 5)


def test_without_an_annotated_box_there_is_no_average_precision():
    assert np.isnan(grounding.map_10_50(grounded(noise(), boxes=np.zeros((0, 4)))))


# --- several phrases --------------------------------------------------------------------------------------


def test_regions_that_are_empty_or_fill_the_image_are_not_scored():
    whole, none = np.ones_like(REGION), np.zeros_like(REGION)
    cut_off = np.where(REGION, 0.1, np.nan)
    found = [grounded(noise()), grounded(noise(), whole), grounded(noise(), none), grounded(cut_off)]
    values = grounding.of_phrases([*found, grounded(np.full(REGION.shape, np.nan))], METRICS)
    for name, each in values.items():
        assert np.isfinite(each[0]) and np.isnan(each[1:]).all(), name
        assert grounding.mean(each) == each[0]
    assert np.isnan(grounding.mean(values["cnr"][1:]))


def test_the_share_of_a_region():
    valid = np.ones_like(REGION)
    assert grounding.share(REGION, valid) == pytest.approx(6 / 48)
    valid[3:] = False
    assert grounding.share(REGION, valid) == pytest.approx(6 / 24)
    assert np.isnan(grounding.share(~valid, valid)) and np.isnan(grounding.share(valid, valid))


def test_unknown_metric():
    with pytest.raises(BenchError, match="did you mean pixel_auroc"):
        grounding.of_phrases([], ("pixel_aurok",))


def test_no_phrase_at_all():
    assert grounding.of_phrases([], ("cnr",))["cnr"].shape == (0,)
    assert np.isnan(grounding.mean(np.zeros(0)))


# --- trivial maps -----------------------------------------------------------------------------------------


def test_chance_is_what_uniform_noise_scores():
    region = np.zeros((60, 80), bool)
    region[10:40, 20:50] = True
    valid = np.ones_like(region)
    drawn = [grounded(noise(seed, region.shape), region) for seed in range(60)]
    values = grounding.of_phrases(drawn, METRICS)
    expected = grounding.chance(np.array([grounding.share(region, valid)]))
    assert expected["pointing_game"][0] == pytest.approx(900 / 4800)
    for name, tolerance in (("pixel_auroc", 0.005), ("cnr", 0.02), ("miou", 0.005), ("pointing_game", 0.15)):
        assert values[name].mean() == pytest.approx(expected[name][0], abs=tolerance), name


def test_chance_of_a_phrase_that_is_not_scored_is_unknown():
    expected = grounding.chance(np.array([0.25, NAN]))
    for name, each in expected.items():
        assert np.isfinite(each[0]) and np.isnan(each[1]), name
    assert {"pixel_auroc": 0.5, "cnr": 0.0, "phrase_gain": 0.0} == {
        name: metric.chance for name, metric in DESCRIBED.items() if metric.chance is not None
    }


def test_the_centre_prior_falls_from_the_centre_of_the_image():
    valid = np.zeros((8, 8), bool)
    valid[2:6] = True  # padded above and below
    heat = grounding.centre(valid)
    assert np.isnan(heat[~valid]).all() and np.isfinite(heat[valid]).all()
    np.testing.assert_allclose(heat[2:6], heat[2:6][::-1, ::-1])
    assert (np.diff(heat[3, :4]) > 0).all() and (np.diff(heat[2:4, 3]) > 0).all()
    # the standard deviation is a quarter of each side: two pixels across, one pixel down
    assert heat[3, 4] == pytest.approx(np.exp(-((0.5 / 2) ** 2 + (0.5 / 1) ** 2) / 2))
    assert heat[2, 7] == pytest.approx(np.exp(-((3.5 / 2) ** 2 + (1.5 / 1) ** 2) / 2))


def test_every_metric_is_described():
    assert set(DESCRIBED) == {*METRICS, grounding.PHRASE_GAIN}
    assert DESCRIBED["cnr"].bounds == (None, None) and DESCRIBED["cnr_absolute"].bounds == (0, None)
    assert all(metric.higher_is_better for metric in DESCRIBED.values())
    assert [name for name, metric in DESCRIBED.items() if metric.parts == "class"] == ["pixel_auroc", "cnr"]


# --- another patient's phrase -----------------------------------------------------------------------------


def test_the_other_phrase_is_another_patients_and_says_something_else():
    texts = ["a", "b", "a", "c", "b"]
    patients = ["p", "p", "q", "q", "r"]
    assert grounding.other_phrases(texts, patients, [""] * 5) == [3, 2, 4, 4, 0]
    # "c" is of the same finding as both phrases of p
    assert grounding.other_phrases(texts, patients, ["x", "y", "x", "x", "y"]) == [4, 2, 4, 4, 0]
    assert grounding.other_phrases(["a", "a"], ["p", "q"], ["", ""]) == [None, None]
    assert grounding.other_phrases(["a", "b"], ["p", "p"], ["", ""]) == [None, None]


def test_the_gain_of_a_phrase_is_signed_and_undefined_with_either():
    gain = grounding.phrase_gain(np.array([0.9, 0.4, NAN, 0.7]), np.array([0.5, 0.6, 0.5, NAN]))
    np.testing.assert_allclose(gain, [0.4, -0.2, NAN, NAN])
