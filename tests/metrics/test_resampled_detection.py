"""Detection metrics from counts are those of the repeated images."""

import numpy as np
import pytest

from prior_bench.metrics import detection, resampled_detection
from prior_bench.metrics.detections import from_predictions
from prior_bench.registry import TASKS
from prior_bench.statistics.bootstrap import bootstrap
from prior_bench.statistics.resample import take

IMAGES = 12


def predictions_of(seed: int, heads: int = 1, truth: float = 1.2) -> dict:
    """Boxes of two classes near and far from the true ones; images without either, and other input pixels."""
    random = np.random.default_rng(seed)
    per_image = random.poisson(truth, IMAGES) * (random.random(IMAGES) < 0.7)
    truth_sample = np.repeat(np.arange(IMAGES), per_image)
    corner = random.integers(0, 40, (len(truth_sample), 2))
    truth_box = np.concatenate([corner, corner + random.integers(8, 20, corner.shape)], axis=1).astype(float)
    truth_label = random.integers(0, 2, len(truth_sample))
    near = np.repeat(np.arange(len(truth_sample)), random.integers(0, 3, len(truth_sample)))
    far = random.integers(0, IMAGES, 15)
    box = np.concatenate(
        [truth_box[near] + random.integers(-4, 5, (len(near), 4)), np.tile([45.0, 45, 60, 60], (15, 1))]
    )
    sample, label = (
        np.append(truth_sample[near], far),
        np.append(truth_label[near], random.integers(0, 2, 15)),
    )
    several = {
        "flat_head": random.integers(0, heads, len(box)),
        "meta_heads": np.array(heads),
    }
    return {
        "id": np.arange(IMAGES).astype(str),
        "patient_id": (np.arange(IMAGES) // 2).astype(str),
        "flat_sample": sample,
        "flat_box": box,
        "flat_score": random.random(len(box)),
        "flat_label": label,
        "truth_sample": truth_sample,
        "truth_box": truth_box,
        "truth_label": truth_label,
        "pixel": random.random((IMAGES, 2)) + 0.5,
        "meta_classes": np.array(["mass", "nodule"]),
        **(several if heads > 1 else {}),
    }


def test_every_metric_equals_that_of_the_repeated_images(monkeypatch):
    names = tuple(detection.METRICS)
    assert set(resampled_detection.METRICS) == set(names)
    spread, undefined = dict.fromkeys(names, 0.0), 0
    for seed in range(12):
        predictions = predictions_of(seed, truth=0.3 if seed < 4 else 1.2)
        monkeypatch.setattr(resampled_detection, "COUNTS_AT_ONCE", 7 * len(predictions["flat_box"]))
        counts = np.random.default_rng(seed).multinomial(IMAGES, np.full(IMAGES, 1 / IMAGES), size=25)
        found = resampled_detection.evaluate(from_predictions(predictions), names, counts)
        repeated = [
            detection.score(from_predictions(take(predictions, np.repeat(np.arange(IMAGES), row))), names)
            for row in counts
        ]
        for name in names:
            wanted = np.array([one[name] for one in repeated])
            np.testing.assert_allclose(found[name], wanted, rtol=0, atol=1e-12, err_msg=f"{name} {seed}")
            undefined += np.isnan(wanted).sum()
            if not np.isnan(wanted).all():
                spread[name] = max(spread[name], np.nanstd(wanted))
    assert undefined, "or resamples without a true box were not tried"
    assert all(value > 0.02 for value in spread.values()), spread


def test_no_boxes_are_no_hits():
    predictions = predictions_of(5)
    none = {name: values[:0] for name, values in predictions.items() if name.startswith("flat")}
    names, counts = tuple(detection.METRICS), np.ones((3, IMAGES), int)
    found = resampled_detection.evaluate(from_predictions(predictions | none), names, counts)
    assert {name: values.tolist() for name, values in found.items()} == dict.fromkeys(names, [0.0] * 3)


@pytest.mark.parametrize("heads", [1, 3])
def test_the_draws_of_the_task_are_those_of_its_own_score(heads):
    predictions, task = predictions_of(7, heads), TASKS.get("detection")()
    names = ("map_40_75", "froc")
    plain = bootstrap(lambda p: task.score(p, names), predictions, n=30, seed=5)
    fast = bootstrap(
        None,
        predictions,
        n=30,
        seed=5,
        of_counts=lambda p, counts: task.score_resamples(p, names, counts),
    )
    assert fast.keys() == plain.keys()
    for name, values in plain.items():
        np.testing.assert_allclose(fast[name], values, rtol=0, atol=1e-12, err_msg=name)
        assert values.std() > 0.02


def test_a_metric_of_another_package_is_scored_one_by_one():
    found = from_predictions(predictions_of(0))
    assert resampled_detection.evaluate(found, ("map_40_75", "mine"), np.ones((2, IMAGES), int)) is None
