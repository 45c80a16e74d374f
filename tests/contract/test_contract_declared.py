"""What tasks say of themselves, which tables, reports and plans go by."""

import pytest

from prior_bench.suites import protocols, work
from tasks.classification import Classification
from tasks.detection import Detection
from tasks.grounding import Grounding
from tasks.retrieval import Retrieval
from tasks.segmentation import Segmentation
from tasks.throughput import Throughput
from tasks.zero_shot import ZeroShot


@pytest.mark.parametrize(
    "task, name, needs_text, needs, uses_labels",
    [
        (Classification, "classification", False, ("labels",), True),
        (ZeroShot, "zero_shot", True, ("labels",), False),
        (Retrieval, "retrieval", True, ("reports",), False),
        (Segmentation, "segmentation", False, ("masks",), True),
        (Detection, "detection", False, ("boxes",), True),
        (Grounding, "grounding", True, ("regions",), False),
        (Throughput, "throughput", False, (), False),
    ],
)
def test_needs(task, name, needs_text, needs, uses_labels):
    assert (task.name, task.needs_text, task.needs) == (name, needs_text, needs)
    assert task.uses_labels is uses_labels


def test_classes_left_out_are_a_count():
    left_out = Classification.metrics["classes_left_out"]
    assert (left_out.direction, left_out.scale, left_out.digits) == ("lower", 1.0, 0)
    assert left_out.bounds == (0.0, None)


def test_costs_are_no_shares():
    for metric in Throughput.metrics.values():
        assert (metric.scale, metric.bounds) == (1.0, (0.0, None))
        assert metric.direction == ("higher" if metric.name == "images_per_second" else "lower")


def test_only_tasks_whose_numbers_belong_to_a_machine_are_not_ranked():
    for task in (Classification, ZeroShot, Retrieval, Segmentation, Detection, Grounding):
        assert getattr(task, "ranked", True)
    assert Throughput.ranked is False


@pytest.mark.parametrize("task", [ZeroShot(), Retrieval(), Grounding()])
def test_work_without_training_is_that_of_the_test_images(task):
    protocol = protocols.load(task.default_protocol)
    assert task.estimate(protocol, (100, 20, 30), 1.0) == work.of_features(protocol, (0, 0, 30))
    assert task.estimate(protocol, (7, 8, 30), 0.1) == work.of_features(protocol, (0, 0, 30))
