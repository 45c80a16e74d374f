"""The parts of LoVT's protocols by hand: its loss, heads, frozen start, and validation loss."""

import pytest
import torch
from dense_data import dense_manifest

from prior_bench.mock import mock_backbone
from prior_bench.openmmlab.dice_loss import BatchDiceLoss
from prior_bench.openmmlab.hooks import Validated
from prior_bench.openmmlab.quiet import quiet
from prior_bench.openmmlab.segmentor import build_segmentor
from prior_bench.registry import TASKS
from prior_bench.suites import protocols

MAPS = dict(type="PrecomputedMaps")
SMALL = {"transform.input.size": 32, "batch_size": 4, "stopping.epochs": 2}


def test_dice_without_smoothing_by_hand():
    loss = BatchDiceLoss(smooth=0.0, eps=1e-7, skips_empty=True)
    logits = torch.tensor([[[[40.0, 40.0], [-40.0, -40.0]]]])
    # overlap 1, sizes 2 and 1: 1 - 2 / 3
    assert loss(logits, torch.tensor([[[1, 0], [0, 0]]])).item() == pytest.approx(1 / 3)
    assert loss(logits, torch.zeros(1, 2, 2)).item() == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_the_unet_sees_the_image_and_the_maps(channels):
    changes = {"head.channels": (12, 10, 8, 6, 4, 4)}
    protocol = protocols.load("lovt/segmentation_unet_frozen_siim", changes)
    with quiet():
        model = build_segmentor(MAPS, (2, 3, 4, 5, 6), protocol)
        model.init_weights()
    maps = [
        torch.randn(2, c, 64 // s, 64 // s) for c, s in zip((2, 3, 4, 5, 6), (2, 4, 8, 16, 32), strict=True)
    ]
    inputs = [torch.randn(2, channels, 64, 64), *maps]
    head = model.eval().decode_head
    with torch.no_grad():
        made = head(inputs)
        assert made.shape == (2, 1, 64, 64)
        for place in range(6):
            other = [torch.zeros_like(one) if k == place else one for k, one in enumerate(inputs)]
            assert not torch.equal(head(other), made)


def test_a_gain_below_min_delta_does_not_count():
    history = [{"score": value} for value in (0.1, 0.2, 0.2004, 0.2008, 0.2012)]
    assert Validated("score", 3, 0.001)._is_over(history[:4]) is False
    # 0.2012 is more than 0.001 above 0.2, the last value that counted
    assert Validated("score", 3, 0.001)._is_over(history) is False
    assert Validated("score", 3, 0.01)._is_over(history) is True
    assert Validated("score", 3)._is_over(history) is False


def test_the_validation_loss_is_a_mean_over_batches(tmp_path, context):
    """Three images in batches of two and one: the last one counts as much as the others together."""
    from prior_bench.openmmlab.collectors import SegmentationCollector

    collector = SegmentationCollector(("dice_micro",), lambda logits, masks: logits.mean(), of_batches=True)
    for values in ([1.0, 3.0], [5.0]):
        samples = [
            {
                "row": row,
                "seg_logits": {"data": torch.full((1, 2, 2), value)},
                "pred_sem_seg": {"data": torch.ones(1, 2, 2)},
                "gt_sem_seg": {"data": torch.ones(1, 2, 2)},
            }
            for row, value in enumerate(values)
        ]
        collector.process({}, samples)
    assert collector.compute_metrics(collector.results)["valid_loss"] == pytest.approx((2 + 5) / 2)


@pytest.mark.parametrize("name", ["lovt/detection_frozen_rsna", "lovt/segmentation_linear_rsna"])
def test_histories_have_the_loss_that_the_rate_waits_for(name, tmp_path, context):
    width = {"head.width": 0.125} if "detection" in name else {}
    protocol = protocols.load(name, {**SMALL, **width})
    data = dense_manifest(tmp_path)
    result = TASKS.get(protocol.task)().run(mock_backbone(size=64), data, protocol, context)
    losses = [entry["valid_loss"] for entry in result.history]
    assert len(losses) == 2 and all(loss > 0 for loss in losses)
    if "detection" in name:
        assert result.predictions["pixel"].shape == (len(result.predictions["id"]), 2)
