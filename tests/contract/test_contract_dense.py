"""Segmentation and detection: the validation split chooses the weights, the test split is only tested."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dense_data import dense_manifest
from invariance import assert_equal, assert_history_equal, in_folder, reordered, rows_of, without

from prior_bench.data.annotations.masks import BoxMask
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.detection import Detection
from tasks.segmentation import Segmentation

STOPPING = {"stopping.epochs": 3, "stopping.patience": None, "optimizer.schedule": "constant"}
TASKS = {
    "segmentation": (
        Segmentation(),
        protocols.load(
            "demo/segmentation",
            {
                **STOPPING,
                "batch_size": 4,
                "head.channels": (8, 8, 8),
                # a cross-entropy spends its first epochs on predicting nothing
                "head.loss": dict(_delete_=True, dice=1.0),
            },
        ),
    ),
    "detection": (
        Detection(),
        protocols.load("demo/detection", {**STOPPING, "batch_size": 4, "head.width": 0.0625}),
    ),
}
ANNOTATIONS = ("boxes", "mask")


@pytest.fixture(params=TASKS)
def task(request):
    return TASKS[request.param][0]


@pytest.fixture
def protocol(task):
    return TASKS[task.name][1]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return dense_manifest(tmp_path / "data", train=8, valid=4, test=6)


def run(task, data, protocol, context, name, **changes):
    return task.run(mock_backbone(size=64), data, protocol, in_folder(context, name, **changes))


def found(result, row):
    """What was predicted for a row: the mask, or the boxes with scores and labels."""
    kept = result.predictions
    if "flat_box" not in kept:
        (place,) = np.flatnonzero(kept["example_row"] == row)
        assert np.unpackbits(kept["example_prediction"][place]).sum() == kept["tp"][row] + kept["fp"][row]
        return kept["example_prediction"][place]
    of_row = kept["flat_sample"] == row
    return np.column_stack([kept["flat_box"], kept["flat_score"], kept["flat_label"]])[of_row]


def assert_same_weights(context, one, other):
    first, second = (
        torch.load(context.work_dir / name / "best.pth", weights_only=True)["state_dict"]
        for name in (one, other)
    )
    assert first.keys() == second.keys() and first
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def shifted(data, split, by=1):
    """The annotations of a split move on by a row: from positive images to negative ones."""
    table = data.table.copy()
    rows = np.flatnonzero(table["split"] == split)
    for column in ANNOTATIONS:
        values = table[column].to_numpy().copy()
        values[rows] = np.roll(values[rows], by)
        table[column] = values
    return replace(data, table=table)


def test_test_annotations_change_metrics_alone(task, data, protocol, context):
    first = run(task, data, protocol, context, "first")
    other = run(task, shifted(data, "test"), protocol, context, "other")
    assert any(found(first, row).any() for row in range(6)), "something is predicted"
    for row in range(6):
        np.testing.assert_array_equal(found(first, row), found(other, row))
    assert_history_equal(first, other)
    assert_same_weights(context, "first", "other")
    assert first.split == other.split
    truth = "truth_sample" if task.name == "detection" else "fn"
    assert not np.array_equal(first.predictions[truth], other.predictions[truth])


def test_other_test_rows_change_nothing_for_those_that_stay(task, data, protocol, context):
    whole = run(task, data, protocol, context, "whole")
    part = run(task, without(data, "test"), protocol, context, "part")
    kept = part.predictions["id"]
    assert len(kept) == 4
    for row, before in enumerate(rows_of(whole, kept)):
        np.testing.assert_allclose(found(part, row), found(whole, before), atol=1e-3)
        assert len(found(part, row))
    assert_history_equal(part, whole)
    assert_same_weights(context, "part", "whole")


def test_training_rows_outside_the_fraction_change_nothing(task, data, protocol, context):
    first_rows = replace(protocol, fraction_sampler={"by": "first"})
    first = run(task, data, first_rows, context, "first", fraction=0.5)
    table = data.table.copy()
    outside = np.flatnonzero(table["split"] == "train")[4:]
    table.loc[outside, "image"] = table["image"].iloc[1]
    other = run(task, replace(data, table=table), first_rows, context, "other", fraction=0.5)
    assert first.split["train"] == 4
    for row in range(6):
        np.testing.assert_array_equal(found(first, row), found(other, row))
    assert_history_equal(first, other)


def everywhere(data, split):
    """The images of a split are wholly foreground; a prediction that learns where findings lie gets worse."""
    table = data.table.copy()
    rows = np.flatnonzero(table["split"] == split)
    whole = np.array([[0, 0, 80, 60, 0]], np.float32)
    for column, value in (("boxes", whole), ("mask", BoxMask(whole))):
        values = table[column].to_numpy().copy()
        for row in rows:
            values[row] = value
        table[column] = values
    return replace(data, table=table)


def test_the_weights_of_the_best_epoch_are_tested(task, data, protocol, context):
    if task.name == "segmentation":  # a loss that knows the right answer falls while it is learned
        turned, monitor = everywhere(data, "valid"), "minus_loss"
    else:
        turned, monitor = data, "map_40_75"
    protocol = replace(protocol, stopping={**protocol.stopping, "monitor": monitor})
    result = run(task, turned, protocol, context, "long")
    values = [entry[monitor] for entry in result.history]
    best = 1 + int(np.argmax(values))
    assert best < len(values), values
    short = {**protocol.stopping, "epochs": best, "tested": "last"}
    again = run(task, turned, replace(protocol, stopping=short), context, "short")
    last = {**protocol.stopping, "tested": "last"}
    other = run(task, turned, replace(protocol, stopping=last), context, "last")
    for row in range(6):
        np.testing.assert_array_equal(found(result, row), found(again, row))
    assert any(not np.array_equal(found(result, row), found(other, row)) for row in range(6))


def test_validation_annotations_change_the_history_and_not_the_training(task, data, protocol, context):
    first = run(task, data, protocol, context, "first")
    other = run(task, everywhere(data, "valid"), protocol, context, "other")
    assert [entry["loss"] for entry in first.history] == [entry["loss"] for entry in other.history]
    name = "dice_micro" if task.name == "segmentation" else "froc"
    assert [entry[name] for entry in first.history] != [entry[name] for entry in other.history]


def test_reordered_annotations_are_another_test_set(task, data, protocol, context):
    """The same predictions are judged by what stands beside each image in the manifest."""
    first = run(task, data, protocol, context, "first")
    other = run(task, reordered(data, "test", ANNOTATIONS, seed=1), protocol, context, "other")
    assert task.score(other.predictions, protocol.metrics) == other.metrics
    assert_equal(first, other, ("id", "patient_id"))
