"""Whole tasks: two processes that share each batch predict what one does, for each test image once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from dense_data import dense_manifest
from forked_ranks import in_ranks
from tiny_data import tiny_manifest

from prior_bench.api import RunContext
from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.openmmlab.sampler import RoundSampler
from prior_bench.openmmlab.shared import SharedBatches
from prior_bench.suites import protocols
from tasks.classification import Classification
from tasks.detection import Detection
from tasks.segmentation import Segmentation

TRAINED = {"backbone": False, "batch_norm": False}
PLAIN = {  # Adam would turn rounding of a gradient that is zero into whole steps
    "optimizer.type": "SGD",
    "optimizer.betas": None,
    "optimizer.schedule": "constant",
    "optimizer.warmup": 0,
    "frozen": TRAINED,
    "stopping.epochs": 2,
    "stopping.patience": None,
}
CASES = {
    # 37 training images: the last batch is 1 image, an empty share; 12 images are evaluated in batches of 12
    "classification": (
        Classification(),
        "clean/finetune",
        {"batch_size": 12, "optimizer.lr": 0.05, "head.dropout": 0.3, "stopping.last_batch": "kept"},
    ),
    "segmentation": (
        Segmentation(),
        "demo/segmentation",
        {"batch_size": 3, "optimizer.lr": 0.01, "head.channels": (8, 8, 8), "head.dropout": 0.1},
    ),
    "detection": (
        Detection(),
        "demo/detection",
        {"batch_size": 3, "optimizer.lr": 1e-4, "head.width": 0.0625},
    ),
    "detection as MGCA": (
        Detection(),
        "demo/detection",
        {"batch_size": 3, "optimizer.lr": 1e-4, "head.width": 0.0625, "head.type": "yolov3_mgca"},
    ),
}


BOXES = ("flat_sample", "flat_box", "flat_score", "flat_label", "flat_head")
"""Arrays with an entry for each predicted box."""


def run(name, data, folder):
    task, protocol, changes = CASES[name]
    torch.set_num_threads(1)
    loaded = protocols.load(protocol, {**PLAIN, **changes})
    context = RunContext(work_dir=folder / "work", cache_dir=folder / "cache")
    return task.run(mock_backbone(size=64), data, loaded, context)


def by_place(predictions):
    """Predictions with the boxes of each image in the order of their places, in whole pixels.

    They are in the order of their scores, of which some differ by rounding alone.
    """
    if "flat_box" not in predictions:
        return predictions
    places = np.round(predictions["flat_box"]).T[::-1]
    order = np.lexsort((*places, predictions["flat_sample"]))
    return {name: values[order] if name in BOXES else values for name, values in predictions.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_two_processes_predict_what_one_does(name, tmp_path):
    for folder in ("data", "one", "two"):
        (tmp_path / folder).mkdir()
    if name == "classification":
        data = tiny_manifest(tmp_path / "data", 61)
    else:
        data = dense_manifest(tmp_path / "data", train=8, valid=5, test=7)
    alone = run(name, data, tmp_path / "one")
    for shared in in_ranks(2, tmp_path / "two", run, name, data, tmp_path / "two"):
        assert shared.predictions.keys() == alone.predictions.keys()
        ours = by_place(shared.predictions)
        for key, values in by_place(alone.predictions).items():
            found = ours[key]
            if values.dtype.kind == "f":
                np.testing.assert_allclose(found, values, rtol=1e-4, atol=1e-4, err_msg=key)
            else:
                np.testing.assert_array_equal(found, values, err_msg=key)
        for one, other in zip(alone.history, shared.history, strict=True):
            assert other == pytest.approx(one, rel=1e-4, nan_ok=True)
        assert shared.split == alone.split
    assert len(alone.history) == 2 and alone.history[0]["loss"] != alone.history[1]["loss"]


def too_small():
    with pytest.raises(BenchError, match="a step has 1 images, which 2 processes cannot share\n  fix: take"):
        SharedBatches(RoundSampler(9, 1, 0), 1)


def test_a_batch_that_is_smaller_than_the_number_of_processes_is_refused(tmp_path):
    in_ranks(2, tmp_path, too_small)


@pytest.mark.parametrize(
    "protocol", ["clean/finetune", "clean/segmentation_frozen", "clean/detection_frozen"]
)
def test_the_number_of_gpus_makes_no_other_protocol(protocol):
    plain, several = protocols.load(protocol), protocols.load(protocol, {"gpus": 4})
    assert several.gpus == 4 and several.name == plain.name
    assert replace(several, gpus=1) == plain and "gpus" not in plain.to_dict()


def test_gpus_are_not_for_what_is_not_trained():
    with pytest.raises(BenchError, match="unknown key 'gpus'"):
        protocols.load("clean/linear_probe", {"gpus": 2})
    changes = {"gpus": 2, "frozen": {"backbone": True, "batch_norm": True}, "transform.train": None}
    with pytest.raises(BenchError, match="gpus: features of a frozen backbone are computed once"):
        protocols.load("clean/finetune", changes)
