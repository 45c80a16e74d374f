"""What our segmentation and detection do equals the papers' code, and a wrong line of ours is told apart."""

import pytest

SEGMENTED, DETECTED, SPLIT = "mgca/segmentation_rsna", "mgca/detection_rsna", "benchx/segmentation_rsna"
UNET = {"head.type": "unet", "head.channels": (256, 128, 64, 32)}


@pytest.mark.parametrize(
    ("name", "part", "changes", "differs"),
    [
        (SEGMENTED, "mask", {"transform.masks": "nearest"}, "soft"),
        (SEGMENTED, "training transform", {"transform.augment": "resized"}, "image"),
        (SEGMENTED, "training transform", {"transform.train.RandomAffine.degrees": 9}, "angles"),
        (SEGMENTED, "batches", {"stopping.last_batch": "carried"}, "validated"),
        (SEGMENTED, "frozen parts", {"frozen.batch_norm": True}, "statistics_move"),
        (SEGMENTED, "loss", {"head.loss.focal": 1.0}, "gradient"),
        (SEGMENTED, "optimiser", {"optimizer.type": "Adam"}, "type"),
        (SEGMENTED, "schedule", {"optimizer.schedule": "cosine"}, "lr"),
        (SEGMENTED, "training step", {"optimizer.clip": 1.0}, "clip"),
        (SEGMENTED, "metric", {"metrics": ("dice_positives",)}, "dice"),
        (SPLIT, "loss", {"head.outputs": 1}, "value"),
        (SPLIT, "schedule", {"optimizer.warmup_start": 1e-3}, "lr"),
        (SPLIT, "schedule", {"optimizer.schedule": "constant"}, "lr"),
        (DETECTED, "suppression", {"options.nms_iou": 0.45}, "count"),
        (DETECTED, "suppression", {"options.confidence": 0.51}, "count"),
        (DETECTED, "metric", {"metrics": ("map_40_75",)}, "map"),
    ],
)
def test_another_protocol_is_told_apart(off, name, part, changes, differs):
    kept = {"map_40_75"} if changes.get("metrics") == ("map_40_75",) else set()
    if kept:
        changes = {**changes, "stopping.monitor": "map_40_75"}
    assert differs not in off(name, part)
    assert differs in off(name, part, changes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "part", "changes", "differs"),
    [
        (SEGMENTED, "head", UNET, "parameters"),
        (SEGMENTED, "stopping and selection", {"stopping.patience": 9}, "epochs"),
        (SEGMENTED, "stopping and selection", {"stopping.monitor": "dice_per_image_empty1"}, "chosen"),
        (SEGMENTED, "stopping and selection", {"stopping.tested": "last"}, "chosen"),
        (DETECTED, "head", {"head.type": "yolov3"}, "std"),
    ],
)
def test_another_model_or_selection_is_told_apart(off, name, part, changes, differs):
    assert differs not in off(name, part)
    assert differs in off(name, part, changes)


@pytest.mark.parametrize("part", ["loss", "assigned targets"])
def test_wrong_targets_are_told_apart(off, monkeypatch, part):
    from prior_bench.openmmlab import mgca_yolo

    monkeypatch.setattr(mgca_yolo, "IGNORED_ABOVE", 0.9)
    assert off(DETECTED, part)


def test_a_suppression_without_the_last_pixel_is_told_apart(off, monkeypatch):
    from prior_bench.openmmlab import mgca_yolo

    nms = mgca_yolo.nms
    monkeypatch.setattr(
        mgca_yolo, "nms", lambda boxes, scores, limit, offset: nms(boxes, scores, limit - 0.03, offset=0)
    )
    assert "count" in off(DETECTED, "suppression")
