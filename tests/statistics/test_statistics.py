import numpy as np
import pytest
from scipy.stats import norm

from prior_bench.errors import BenchError
from prior_bench.metrics.classification import auroc
from prior_bench.statistics.bootstrap import bootstrap, interval, percentiles
from prior_bench.statistics.resample import take


def mean_of(predictions):
    return {"mean": float(predictions["value"].mean())}


def predictions_of(patients, values):
    return {
        "id": np.array([f"i{i}" for i in range(len(values))]),
        "patient_id": np.array([f"p{p}" for p in patients]),
        "value": np.asarray(values, dtype=float),
    }


def test_take_follows_ragged_arrays():
    predictions = {
        "id": np.array(["a", "b", "c"]),
        "patient_id": np.array(["p", "p", "q"]),
        "flat_sample": np.array([2, 0, 2]),  # b has no detection
        "flat_score": np.array([0.9, 0.5, 0.1]),
        "flat_box": np.arange(12.0).reshape(3, 4),
        "truth_sample": np.array([0, 1]),
        "truth_label": np.array([7, 8]),
        "meta_classes": np.array(["x"]),
        "example_row": np.array([1]),
    }
    taken = take(predictions, np.array([2, 1, 2, 0]))
    assert taken["id"].tolist() == ["c", "b", "c", "a"]
    assert taken["flat_sample"].tolist() == [0, 0, 2, 2, 3]
    assert taken["flat_score"].tolist() == [0.9, 0.1, 0.9, 0.1, 0.5]
    assert taken["flat_box"][-1].tolist() == [4, 5, 6, 7]
    assert taken["truth_sample"].tolist() == [1, 3] and taken["truth_label"].tolist() == [8, 7]
    assert taken["meta_classes"].tolist() == ["x"]
    assert "example_row" not in taken


def test_take_without_any_detection():
    predictions = {"id": np.array(["a", "b"]), "flat_sample": np.zeros(0, int), "flat_score": np.zeros(0)}
    assert len(take(predictions, np.array([1, 1, 0]))["flat_score"]) == 0


def test_bootstrap_is_repeatable_and_by_patient():
    # patients of very unequal size: every resample is made of whole patients
    predictions = predictions_of([0, 0, 0, 1, 2], [1, 1, 1, 0, 0])
    draws = bootstrap(mean_of, predictions, n=200, seed=3)["mean"]
    assert draws.tolist() == bootstrap(mean_of, predictions, n=200, seed=3)["mean"].tolist()
    # k of three draws hit patient 0: 3k / (3k + 3 - k)
    possible = {3 * k / (2 * k + 3) for k in range(4)}
    assert {round(v, 9) for v in draws} <= {round(v, 9) for v in possible}


def test_interval_of_a_mean_is_that_of_the_normal_approximation():
    values = np.random.default_rng(0).normal(size=400)
    lower, upper = interval(mean_of, predictions_of(range(400), values), n=2000)["mean"]
    half = 1.96 * values.std() / 20
    assert lower == pytest.approx(values.mean() - half, abs=0.01)
    assert upper == pytest.approx(values.mean() + half, abs=0.01)


def test_repeated_images_of_a_patient_do_not_narrow_the_interval():
    values = np.random.default_rng(1).normal(size=60)
    once = interval(mean_of, predictions_of(range(60), values))["mean"]
    four_times = interval(mean_of, predictions_of(np.repeat(range(60), 4), np.repeat(values, 4)))["mean"]
    assert np.diff(four_times) == pytest.approx(np.diff(once), rel=0.02)
    images = interval(mean_of, predictions_of(np.repeat(range(60), 4), np.repeat(values, 4)), group="id")[
        "mean"
    ]
    assert np.diff(images) < 0.6 * np.diff(once)


def test_undefined_resamples_are_left_out_and_hopeless_ones_said():
    predictions = predictions_of(range(10), range(10))

    def sometimes(p):
        return {"some": float("nan") if p["id"][0] == "i0" else 1.0, "never": float("nan")}

    bounds = interval(sometimes, predictions, n=100)
    assert bounds["some"] == (1.0, 1.0)
    assert np.isnan(bounds["never"]).all()
    assert np.isnan(interval(mean_of, predictions_of([0, 0], [1, 2]), n=10)["mean"]).all()


def test_predictions_without_the_group_are_refused():
    with pytest.raises(BenchError, match="patient_id"):
        interval(mean_of, {"id": np.array(["a"]), "value": np.ones(1)})


def patients_with_images(random):
    """100 patients, three images each, that differ more than their images; the mean is 0."""
    effects = random.normal(size=100)
    return predictions_of(
        np.repeat(range(100), 3), np.repeat(effects, 3) + random.normal(scale=0.3, size=300)
    )


def scored_patients(random):
    """300 patients, two images each with one label; scores are shifted by 1 where it is positive, and their
    errors are half the patient's and half the image's, each of variance 1/2: AUROC Φ(1 / √2)."""
    positive = np.repeat(random.random(300) < 0.4, 2)
    error = np.repeat(random.normal(size=300), 2) + random.normal(size=600)
    found = predictions_of(np.repeat(range(300), 2), positive + error / np.sqrt(2))
    return found | {"target": positive[:, None].astype(float)}


def auroc_of(predictions):
    return {"auroc": auroc(predictions["value"][:, None], predictions["target"])[0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw, score, truth, resamples",
    [
        (patients_with_images, mean_of, 0.0, 1000),  # as of a single run
        (scored_patients, auroc_of, norm.cdf(1 / np.sqrt(2)), 500),  # as in tables
    ],
    ids=["mean", "auroc"],
)
def test_interval_covers_the_truth_as_often_as_it_says(draw, score, truth, resamples):
    random, covered = np.random.default_rng(0), 0
    for _ in range(500):
        ((lower, upper),) = interval(score, draw(random), n=resamples).values()
        covered += lower <= truth <= upper
    assert 0.93 <= covered / 500 <= 0.97


def test_a_thousand_resamples_of_seed_zero_are_the_default():
    predictions = predictions_of([0, 0, 1, 2], [1, 2, 3, 4])
    draws = bootstrap(mean_of, predictions)["mean"]
    assert len(draws) == 1000
    assert np.array_equal(draws, bootstrap(mean_of, predictions, n=1000, seed=0)["mean"])
    assert not np.array_equal(draws[:50], bootstrap(mean_of, predictions, n=50, seed=1)["mean"])
    many = predictions_of(range(50), np.random.default_rng(0).random(50))
    assert interval(mean_of, many)["mean"] == percentiles(bootstrap(mean_of, many, n=1000, seed=0)["mean"])
    assert interval(mean_of, many) != interval(mean_of, many, seed=1)


def test_two_patients_have_an_interval_and_one_has_none():
    two = interval(mean_of, predictions_of([0, 1], [1, 3]), n=100)["mean"]
    assert two == (1, 3)
    assert np.isnan(interval(mean_of, predictions_of([0, 0], [1, 3]), n=100)["mean"]).all()


def test_percentiles_cut_the_same_share_off_on_both_sides():
    draws = np.arange(1001) / 1000
    assert percentiles(draws) == pytest.approx((0.025, 0.975))
    assert percentiles(draws, level=0.9) == pytest.approx((0.05, 0.95))


@pytest.mark.parametrize("undefined, defined", [(49, True), (50, False), (51, False), (60, False)])
def test_half_of_the_resamples_must_be_defined(undefined, defined):
    draws = np.ones(100)
    draws[:undefined] = np.nan
    assert np.isfinite(percentiles(draws)).all() == defined


def test_ragged_arrays_are_taken_whether_or_not_the_others_are_there():
    truth = {
        "id": np.array(["a", "b"]),
        "truth_sample": np.array([0, 1, 1]),
        "truth_label": np.array([7, 8, 9]),
    }
    taken = take(truth, np.array([1, 1]))
    assert taken["truth_sample"].tolist() == [0, 0, 1, 1]
    assert taken["truth_label"].tolist() == [8, 9, 8, 9]
