"""What our protocols of LoVT do equals its code, and a wrong line of ours is told apart."""

from pathlib import Path

import pytest

from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols

GOLDEN = Path(__file__).parents[1] / "golden/protocols"
BOXES, FINE = "lovt/detection_frozen_rsna", "lovt/detection_finetune_rsna"
OBJECTS = "lovt/detection_frozen_object"
LINEAR, UNET = "lovt/segmentation_linear_rsna", "lovt/segmentation_unet_frozen_siim"
FEW, SHAPES = "lovt/segmentation_linear_rsna_1", "lovt/segmentation_linear_object"


@pytest.fixture(scope="module")
def measured():
    found = {}
    for run in official_runs(GOLDEN):
        for name in run.protocols:
            found |= {(name, part): one for part, one in run.ingredients.items()}
    return found


def off(measured, name, part, changes=None):
    """Names of the quantities that differ under changes of the protocol."""
    protocol, one = protocols.load(name, changes or {}), measured[name, part]
    compute = ingredients_of(protocol.task)[part].compute
    return set(differing(compute(protocol, one.given), one.expected, one.tolerance))


@pytest.mark.parametrize(
    ("name", "part", "changes", "differs"),
    [
        (BOXES, "test transform", {"transform.input.resize": "pad"}, "tall.dcm: values"),
        (BOXES, "boxes", {"transform.input.resize": "pad"}, "boxes"),
        (BOXES, "training transform", {"transform.train": {"RandomHorizontalFlip": {}}}, "random"),
        (BOXES, "batches", {"stopping.last_batch": "dropped"}, "validated"),
        (BOXES, "batches", {"stopping.last_batch": "kept"}, "sizes"),
        (BOXES, "frozen parts", {"frozen.batch_norm": False}, "statistics_move"),
        (BOXES, "anchors", {"head.anchors": None}, "anchors"),
        (BOXES, "loss", {"head.type": "yolov3_mgca"}, "loss_cls"),
        (BOXES, "optimiser", {"optimizer.weight_decay": 0.0}, "weight_decay"),
        (BOXES, "schedule", {"optimizer.plateau_on": "monitor"}, "lr"),
        (BOXES, "schedule", {"optimizer.patience": 4}, "lr"),
        (BOXES, "training step", {"optimizer.amp": False}, "precision"),
        (BOXES, "suppression", {"options.max_boxes": 100}, "count"),
        (BOXES, "suppression", {"options.confidence": 0.21}, "count"),
        (BOXES, "suppression", {"options.nms_iou": 0.5}, "count"),
        (BOXES, "metric", {"metrics": ("map_40_75", "map_lovt")}, "map"),
        (FINE, "frozen parts", {"optimizer.frozen_steps": 99}, "trained_from"),
        (FINE, "schedule", {"optimizer.frozen_steps": 99}, "lr"),
        (FINE, "schedule", {"optimizer.frozen_lr": 3e-4}, "lr"),
        (FINE, "optimiser", {"optimizer.frozen_lr": 3e-4}, "lr"),
        (OBJECTS, "test transform", {"transform.input.equalize": "png"}, "small.png: values"),
        (OBJECTS, "boxes", {"transform.boxes": "clipped"}, "boxes"),
        (OBJECTS, "metric", {"metrics": ("froc", "froc_lovt")}, "map"),
        (LINEAR, "mask", {"transform.masks": "area"}, "soft"),
        (LINEAR, "head", {"head.type": "linear"}, "largest"),
        (LINEAR, "loss", {"head.loss": {"_delete_": True, "dice": 1.0}}, "value"),
        (LINEAR, "post-processing", {"head.type": "linear"}, "foreground"),
        (LINEAR, "metric", {"metrics": ("dice_positives", "dice_micro")}, "dice"),
        (LINEAR, "metric", {"batch_size": 32}, "loss_of_dice"),
        (FEW, "batches", {"batch_size": 64}, "sizes"),
        (UNET, "test transform", {"transform.input.equalize": None}, "square.dcm: values"),
    ],
)
def test_another_protocol_is_told_apart(measured, name, part, changes, differs):
    assert differs not in off(measured, name, part)
    assert differs in off(measured, name, part, changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "changes", "differs"),
    [
        (BOXES, "head", {"head.type": "yolov3"}, "std"),
        (BOXES, "stopping and selection", {"stopping.patience": 9}, "epochs"),
        (BOXES, "stopping and selection", {"stopping.tested": "last"}, "chosen"),
        (OBJECTS, "stopping and selection", {"stopping.epochs": 30}, "epochs"),
        (FEW, "stopping and selection", {"stopping.patience": 10}, "epochs"),
    ],
)
def test_another_head_or_selection_is_told_apart(measured, name, part, changes, differs):
    assert differs not in off(measured, name, part)
    assert differs in off(measured, name, part, changes)


@pytest.mark.slow
def test_another_unet_is_told_apart(measured):
    narrow = {"head.channels": (1024, 1024, 512, 256, 128, 64)}
    assert not off(measured, UNET, "head")
    assert {"parameters", "shapes"} <= off(measured, UNET, "head", narrow)


@pytest.mark.parametrize("part", ["loss", "assigned targets"])
def test_wrong_targets_are_told_apart(measured, monkeypatch, part):
    from prior_bench.openmmlab import mgca_yolo

    monkeypatch.setattr(mgca_yolo, "IGNORED_ABOVE", 0.9)
    assert off(measured, BOXES, part)


def test_decoding_without_the_cell_is_told_apart(measured, monkeypatch):
    from prior_bench.openmmlab.mgca_yolo import MgcaYoloHead

    decode = MgcaYoloHead.decode
    monkeypatch.setattr(MgcaYoloHead, "decode", lambda head, level, found: decode(head, level, found + 0.01))
    assert {"boxes_0", "boxes_1", "boxes_2"} <= off(measured, BOXES, "decoding")


def test_masks_that_are_not_exchanged_are_told_apart(measured, monkeypatch):
    from prior_bench.data.annotations.masks import ShapeMask
    from prior_bench.data.readers import object_cxr

    assert not off(measured, SHAPES, "mask")
    monkeypatch.setitem(object_cxr.MASKS, "swapped", ShapeMask)
    assert {"foreground", "sketch"} <= off(measured, SHAPES, "mask")


def test_boxes_that_are_not_exchanged_are_told_apart(measured, monkeypatch):
    from prior_bench.data.readers import object_cxr

    monkeypatch.setattr(object_cxr, "swap_sides", lambda boxes: boxes)
    assert {"boxes", "polygon"} <= off(measured, OBJECTS, "boxes")


def test_batch_norm_that_is_trained_at_once_is_told_apart(measured, monkeypatch):
    from prior_bench.openmmlab.hooks import FrozenStart

    before = FrozenStart.before_train_iter

    def at_once(hook, runner, batch_idx, data_batch=None):
        before(hook, runner, batch_idx, data_batch)
        if runner.iter >= hook.steps:
            runner.model.backbone.train()

    monkeypatch.setattr(FrozenStart, "before_train_iter", at_once)
    assert off(measured, FINE, "frozen parts") == {"training_mode_from"}
