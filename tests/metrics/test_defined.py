"""What is undefined is left out, with the reason, and every task says what its metrics mean."""

import math
from importlib.metadata import entry_points

import numpy as np
import pytest

from prior_bench.api import Metric, by_name, find_metric
from prior_bench.metrics import classification, defined, detection, prompt_wording, retrieval, segmentation
from prior_bench.registry import TASKS
from prior_bench.suites import protocols

SHIPPED = [point.name for point in entry_points(group="prior_bench.tasks")]  # no fakes of other tests
METRICS = by_name((Metric("auroc", needs=("both_labels",)), Metric("accuracy", needs=("two_classes",))))


def test_reasons_are_those_of_the_conditions_that_do_not_hold():
    values = {"auroc": 0.5, "accuracy": 1.0, "accuracy/A": 1.0, "loss": math.nan}
    found = defined.undefined(("auroc", "accuracy", "loss"), values, METRICS, ["two_classes"])
    assert found == {"accuracy": defined.REASONS["two_classes"], "loss": defined.UNDEFINED}
    assert defined.kept({**values, "auroc/A": math.nan}, found) == {"auroc": 0.5}


def test_a_part_has_the_meaning_of_the_whole_and_plain_data_gives_the_metric_back():
    assert find_metric(METRICS, "auroc/Edema") is METRICS["auroc"]
    assert find_metric(METRICS, "kappa") is None
    metric = Metric("loss", "lower", "log loss", scale=1.0, digits=3, bounds=(0.0, None), needs=("x",))
    stored = {**metric.to_dict(), "bounds": [0.0, None], "needs": ["x"], "from_the_future": 1}
    assert Metric.from_dict(stored) == metric
    with pytest.raises(ValueError, match="direction"):
        Metric.from_dict({"name": "loss", "direction": "sideways"})


@pytest.mark.parametrize(
    "implemented, described",
    [
        (classification.METRICS, classification.DESCRIBED),
        (segmentation.METRICS, segmentation.DESCRIBED),
        (detection.METRICS, detection.DESCRIBED),
        (prompt_wording.METRICS, prompt_wording.DESCRIBED),
    ],
)
def test_what_is_implemented_is_described(implemented, described):
    assert list(described) and set(described) == set(implemented)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_task_describes_every_metric_of_its_protocols(name):
    task = TASKS.get(name)
    assert protocols.load(task.default_protocol).task == name
    for protocol in map(protocols.load, protocols.names()):
        if protocol.task == name:
            assert set(protocol.metrics) <= set(task.metrics), protocol.name
    for key, metric in task.metrics.items():
        assert key == metric.name and set(metric.needs) <= set(defined.REASONS)
        low = -math.inf if metric.bounds[0] is None else metric.bounds[0]
        high = math.inf if metric.bounds[1] is None else metric.bounds[1]
        assert metric.chance is None or low <= metric.chance <= high


@pytest.mark.parametrize("described", [classification.DESCRIBED, segmentation.DESCRIBED, detection.DESCRIBED])
def test_shares_are_shown_times_one_hundred(described):
    assert {metric.scale for metric in described.values()} == {100.0}


def test_directions():
    metrics = {name: metric for task in SHIPPED for name, metric in TASKS.get(task).metrics.items()}
    lower = {name for name, metric in metrics.items() if metric.direction == "lower"}
    drops = {f"{name}_drop" for name in classification.METRICS}
    costs = {"parameters", "parameters_total", "gflops", "peak_memory_mb"}
    assert lower == {"median_rank", "accuracy_prompt_std", "classes_left_out"} | drops | costs
    assert retrieval.DESCRIBED["median_rank"].scale == 1


def test_detections_without_a_true_box_give_no_number():
    nothing, some = np.zeros(0, int), np.zeros(1, int)
    box = np.array([[0.0, 0.0, 2.0, 2.0]])
    found = detection.Detections(2, 1, some, box, np.ones(1), some, nothing, np.zeros((0, 4)), nothing)
    assert all(np.isnan(value) for value in detection.score(found, tuple(detection.METRICS)).values())
    empty = detection.Detections(2, 1, nothing, np.zeros((0, 4)), np.ones(0), nothing, some, box, some)
    assert set(detection.score(empty, tuple(detection.METRICS)).values()) == {0.0}
