"""Builds the mmseg model of a segmentation protocol."""

from __future__ import annotations

from typing import Any

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from torch import nn

from prior_bench.api import Protocol
from prior_bench.errors import unknown_name
from prior_bench.openmmlab import ops

LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy": dict(type="CrossEntropyLoss", use_sigmoid=True, loss_name="loss_ce"),
    "dice": dict(type="BatchDiceLoss"),
    "focal": dict(type="FocalLoss", use_sigmoid=True, loss_name="loss_focal"),
}
"""Terms of the loss that a protocol's ``head["loss"]`` may weigh."""


def build_segmentor(backbone: dict[str, Any], channels: tuple[int, ...], protocol: Protocol) -> nn.Module:
    """An EncoderDecoder with a U-Net head and one output channel (foreground where p > 0.5).

    Args:
        backbone: config of a registered backbone.
        channels: of its maps, finest first.
        protocol: its ``head``: ``channels`` (width of each decoder block, coarsest first), ``dropout``
            and ``loss`` (weight of each of LOSSES).

    Raises:
        BenchError: unknown loss.
    """
    ops.install()
    import mmseg.models  # noqa: F401  registers
    from mmseg.registry import MODELS

    import prior_bench.openmmlab.backbone
    import prior_bench.openmmlab.dice_loss
    import prior_bench.openmmlab.unet_head  # noqa: F401

    head = protocol.head
    for name in head["loss"]:
        if name not in LOSSES:
            raise unknown_name("segmentation loss", name, list(LOSSES), where=protocol.name)
    config = dict(
        type="EncoderDecoder",
        data_preprocessor=dict(type="StackInputs"),
        backbone=backbone,
        decode_head=dict(
            type="UNetHead",
            in_channels=channels,
            decoder_channels=tuple(head["channels"]),
            num_classes=2,
            out_channels=1,
            threshold=0.5,
            dropout_ratio=head.get("dropout", 0.0),
            loss_decode=[dict(LOSSES[name], loss_weight=weight) for name, weight in head["loss"].items()],
        ),
        train_cfg=dict(),
        test_cfg=ConfigDict(mode="whole"),  # mmseg reads it by attribute
    )
    with DefaultScope.overwrite_default_scope("mmseg"):
        return MODELS.build(config)
