"""Heads and backbones trained by gradient: the validation split chooses the epoch and the thresholds."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from invariance import (
    assert_equal,
    assert_history_equal,
    in_folder,
    opposite,
    reordered,
    rows_of,
    without,
)
from tiny_data import CLASSES, tiny_manifest

from prior_bench.metrics.classification import evaluate
from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.classification import Classification

TASK = Classification()
COMMON = {
    "batch_size": 12,
    "stopping": {"epochs": 4, "patience": None, "monitor": "auroc"},
    "optimizer": {"lr": 0.01, "schedule": "constant", "warmup": 0},
}
PROTOCOLS = {
    "cached features": protocols.load(
        "clean/finetune",
        {**COMMON, "frozen": {"backbone": True, "batch_norm": True}, "transform": {"train": None}},
    ),
    "trained backbone": protocols.load("clean/finetune", COMMON),
}


@pytest.fixture(params=PROTOCOLS)
def protocol(request):
    return PROTOCOLS[request.param]


@pytest.fixture
def data(tmp_path):
    (tmp_path / "data").mkdir()
    return tiny_manifest(tmp_path / "data", size=32)


def run(data, protocol, context, name, **changes):
    return TASK.run(mock_backbone(size=32), data, protocol, in_folder(context, name, **changes))


def stopping(protocol, **changes):
    return replace(protocol, stopping={**protocol.stopping, **changes})


def weights(context, name, file="best.pth"):
    return torch.load(context.work_dir / name / file, weights_only=True)["state_dict"]


def assert_same_weights(context, one, other):
    first, second = weights(context, one), weights(context, other)
    assert first.keys() == second.keys() and first
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


def test_test_labels_change_metrics_alone(data, protocol, context):
    first = run(data, protocol, context, "first")
    other = run(opposite(data, "test"), protocol, context, "other")
    assert_equal(first, other, ("id", "score", "meta_thresholds"))
    assert_history_equal(first, other)
    assert_same_weights(context, "first", "other")
    assert first.metrics != other.metrics


def test_other_test_rows_change_nothing_for_those_that_stay(data, protocol, context):
    whole = run(data, protocol, context, "whole")
    part = run(without(data, "test"), protocol, context, "part")
    kept = part.predictions["id"]
    assert 0 < len(kept) < len(whole.predictions["id"])
    rows = rows_of(whole, kept)
    np.testing.assert_allclose(part.predictions["score"], whole.predictions["score"][rows], atol=1e-6)
    np.testing.assert_allclose(
        part.predictions["meta_thresholds"], whole.predictions["meta_thresholds"], atol=1e-6
    )
    assert_history_equal(part, whole)
    assert_same_weights(context, "part", "whole")


def best_epoch(result, monitor) -> int:
    return 1 + int(np.argmax([entry[monitor] for entry in result.history]))


def test_the_weights_of_the_best_epoch_are_tested(data, protocol, context, monitor="minus_loss"):
    """With the opposite validation labels, learning makes it worse: an early epoch is the best."""
    turned = opposite(data, "valid")
    result = run(turned, stopping(protocol, monitor=monitor), context, "long")
    best = best_epoch(result, monitor)
    values = [entry[monitor] for entry in result.history]
    assert best < len(values) == 4 and values[best - 1] > values[-1]
    short = run(turned, stopping(protocol, epochs=best, tested="last"), context, "short")
    assert_equal(result, short, ("score", "meta_thresholds"))
    last = run(turned, stopping(protocol, tested="last"), context, "last")
    assert not np.array_equal(last.predictions["score"], result.predictions["score"])
    # with the labels as they are another epoch is the best, though the training is the same
    straight = run(data, stopping(protocol, monitor=monitor), context, "straight")
    assert [entry["loss"] for entry in straight.history] == [entry["loss"] for entry in result.history]
    assert best_epoch(straight, monitor) > best
    assert not np.array_equal(straight.predictions["score"], result.predictions["score"])


def test_thresholds_are_the_best_of_the_validation_split(data, context):
    """Where the test images are those of the validation split, no threshold has a higher F1."""
    table = data.table.copy()
    valid, test = (table["split"] == part for part in ("valid", "test"))
    for column in ("image", *CLASSES):
        table.loc[test, column] = table.loc[valid, column].to_numpy()
    protocol = stopping(PROTOCOLS["cached features"], epochs=1)
    predictions = run(replace(data, table=table), protocol, context, "same").predictions
    score, target, thresholds = (predictions[name] for name in ("score", "target", "meta_thresholds"))
    values = evaluate(score, target, CLASSES, ("f1", "f1_best_on_test"), thresholds=thresholds)
    assert [values[f"f1/{c}"] for c in CLASSES] == [values[f"f1_best_on_test/{c}"] for c in CLASSES]
    turned = run(reordered(data, "valid", CLASSES), protocol, context, "turned").predictions
    straight = run(data, protocol, context, "straight").predictions
    assert not np.array_equal(turned["meta_thresholds"], straight["meta_thresholds"])


def test_labels_and_images_outside_the_fraction_change_nothing(data, protocol, context):
    first_rows = replace(protocol, fraction_sampler={"by": "first"})
    first = run(data, first_rows, context, "first", fraction=0.5)
    table = data.table.copy()
    outside = np.flatnonzero(table["split"] == "train")[18:]
    for label in CLASSES:
        table.loc[outside, label] = 1 - table.loc[outside, label]
    table.loc[outside, "image"] = table["image"].iloc[0]
    other = run(replace(data, table=table), first_rows, context, "other", fraction=0.5)
    assert first.split["train"] == 18
    assert_equal(first, other, ("score", "meta_thresholds"))
    assert_history_equal(first, other)


@pytest.mark.parametrize("monitor", ["auroc", "f1_class_1"])
def test_the_history_judges_the_validation_split(tmp_path, context, monitor):
    """Its last entry is what the last weights reach on those images; here they are the test images, too."""
    (tmp_path / "two").mkdir()
    data = tiny_manifest(tmp_path / "two", size=32, exclusive=True)
    table = data.table.copy()
    valid, test = (table["split"] == part for part in ("valid", "test"))
    for column in ("image", *CLASSES):
        table.loc[test, column] = table.loc[valid, column].to_numpy()
    protocol = stopping(PROTOCOLS["cached features"], epochs=2, tested="last", monitor=monitor)
    result = run(replace(data, table=table), protocol, context, "same")
    score, target = result.predictions["score"], result.predictions["target"]
    assert score.sum(1) == pytest.approx(1)
    values = evaluate(score, target, CLASSES, ("auroc", "f1_class_1"), exclusive=True)
    last = result.history[-1]
    assert last["auroc"] == pytest.approx(values["auroc"])
    assert last["f1_class_1"] == pytest.approx(values["f1_class_1"])
    # one batch of twelve: its loss is the mean of the twelve
    assert -last["minus_loss"] == pytest.approx(-np.log(score[target == 1]).mean(), rel=1e-4)


def test_a_single_label_can_be_judged_by_its_f1(data, context):
    single = replace(data, labels=CLASSES[:1])
    protocol = stopping(PROTOCOLS["cached features"], epochs=1, monitor="f1_class_1")
    result = run(single, protocol, context, "single")
    assert result.predictions["score"].shape == (12, 1)
    assert 0 <= result.history[0]["f1_class_1"] <= 1
    assert "f1_class_1" not in run(data, stopping(protocol, monitor="auroc"), context, "two").history[0]


@pytest.mark.parametrize("frozen", [True, False])
def test_augmentation_changes_the_training_and_not_the_validation(data, context, frozen):
    protocol = replace(
        stopping(PROTOCOLS["trained backbone"], epochs=1),
        frozen={"backbone": frozen, "batch_norm": True},
        optimizer={**PROTOCOLS["trained backbone"].optimizer, "lr": 1e-30},
    )
    plain = replace(protocol, transform={"train": None})
    augmented, once = run(data, protocol, context, "augmented"), run(data, plain, context, "plain")
    # at a rate of 0 the weights stay: losses of training differ by the images alone
    assert augmented.history[0]["loss"] != pytest.approx(once.history[0]["loss"], rel=1e-4)
    assert augmented.history[0]["minus_loss"] == pytest.approx(once.history[0]["minus_loss"], rel=1e-4)
    np.testing.assert_allclose(augmented.predictions["score"], once.predictions["score"], atol=1e-5)
