import numpy as np
import pytest

from prior_bench.errors import BenchError
from prior_bench.metrics.resample import take
from prior_bench.metrics.statistics import bootstrap, interval


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


@pytest.mark.slow
def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        effects = rng.normal(size=80)  # patients differ, three images each
        values = np.repeat(effects, 3) + rng.normal(scale=0.3, size=240)
        lower, upper = interval(mean_of, predictions_of(np.repeat(range(80), 3), values), n=300)["mean"]
        covered += lower <= 0 <= upper
    assert 0.91 <= covered / 300 <= 0.98
