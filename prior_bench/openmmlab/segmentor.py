"""Build the mmseg model of a segmentation protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope, Registry
from torch import Tensor, nn

from prior_bench.api import Protocol
from prior_bench.errors import unknown_name
from prior_bench.openmmlab import ops
from prior_bench.openmmlab.quiet import quiet

LOSSES: dict[str, dict[str, Any]] = {
    "cross_entropy": dict(type="CrossEntropyLoss", use_sigmoid=True, loss_name="loss_ce"),
    "dice": dict(type="BatchDiceLoss"),
    "smp_dice": dict(type="BatchDiceLoss", smooth=0.0, eps=1e-7, skips_empty=True, loss_name="loss_smp_dice"),
    "log_dice": dict(type="BatchDiceLoss", log=True, loss_name="loss_log_dice"),
    "focal": dict(type="BinaryFocalLoss"),
}
"""Terms of the loss, to which a protocol's ``head["loss"]`` gives weights."""


def _unet(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    return dict(type="UNetHead", in_channels=channels, decoder_channels=tuple(head["channels"]))


def _smp_unet(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    return dict(type="SmpUNetHead", in_channels=channels, decoder_channels=tuple(head["channels"]))


def _linear(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    last = dict(in_channels=channels[-1], channels=channels[-1], in_index=len(channels) - 1)
    return dict(type="FCNHead", num_convs=0, concat_input=False, **last)


def _linear_lovt(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    return dict(type="LovtLinearHead", in_channels=channels[-1], in_index=len(channels) - 1)


def _resunet(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    return dict(type="ResUNetHead", in_channels=channels, decoder_channels=tuple(head["channels"]))


def _upernet(channels: tuple[int, ...], head: dict[str, Any]) -> dict[str, Any]:
    every = dict(in_channels=list(channels), in_index=list(range(len(channels))))
    return dict(type="UPerHead", channels=head["channels"][0], norm_cfg=dict(type="BN"), **every)


HEADS = {
    "unet": _unet,
    "smp_unet": _smp_unet,
    "resunet": _resunet,
    "linear": _linear,
    "linear_lovt": _linear_lovt,
    "upernet": _upernet,
}
"""Decoders by name: a U-Net; those of segmentation_models_pytorch (MGCA, GLoRIA) and of LoVT; one linear
layer per pixel of the coarsest map, with mmseg's or LoVT's initial weights; UPerNet with pooling scales 1, 2,
3 and 6 (BenchX). The logits are upsampled to the input bilinearly."""
HALF_COUNTS = ("linear_lovt", "resunet")
"""Decoders for which a probability of exactly one half is foreground."""
BELOW_HALF = 0.5 - 2**-25
"""The largest float32 below one half."""


def build_segmentor(backbone: dict[str, Any], channels: tuple[int, ...], protocol: Protocol) -> nn.Module:
    """Build an EncoderDecoder with one output channel (a pixel is foreground if p > 0.5; with
    :data:`HALF_COUNTS`, if p >= 0.5), or with two.

    Args:
        backbone: config of a registered backbone.
        channels: of its maps, finest first.
        protocol: uses its ``head``: ``type`` (one of HEADS, by default ``"unet"``), ``channels`` (U-Net:
            width of each decoder block, coarsest first; ``resunet``: first that of the bridge; UPerNet: one
            width; linear: not used), ``dropout``, ``loss`` (weights of LOSSES) and ``outputs`` (1, or 2 for a
            softmax over background and foreground).

    Raises:
        BenchError: the head or a loss is unknown.
    """
    models = _models()
    head = protocol.head
    losses, outputs = _losses(protocol), head.get("outputs", 1)
    kind = head.get("type", "unet")
    if kind not in HEADS:
        raise unknown_name("segmentation head", kind, list(HEADS), where=protocol.name)
    config = dict(
        type="LogitSegmentor",
        data_preprocessor=dict(type="StackInputs"),
        backbone=backbone,
        decode_head=dict(
            **HEADS[kind](channels, head),
            num_classes=2,
            out_channels=outputs,
            threshold=(BELOW_HALF if kind in HALF_COUNTS else 0.5) if outputs == 1 else None,
            dropout_ratio=head.get("dropout", 0.0),
            loss_decode=losses,
        ),
        train_cfg=dict(),
        test_cfg=ConfigDict(mode="whole"),  # mmseg reads it by attribute
    )
    with DefaultScope.overwrite_default_scope("mmseg"):
        return models.build(config)


def training_loss(protocol: Protocol) -> Callable[[Tensor, Tensor], Tensor]:
    """Return the training loss of a protocol: a function of logits [B, 1, H, W] and masks [B, H, W]
    (0 and 1, or float32 between them).

    Raises:
        BenchError: a loss is unknown.
    """
    models = _models()
    with quiet(), DefaultScope.overwrite_default_scope("mmseg"):
        terms = [models.build(config) for config in _losses(protocol)]

    def loss(logits: Tensor, masks: Tensor) -> Tensor:
        masks = masks if masks.is_floating_point() else masks.long()
        return sum(term(logits, masks, ignore_index=255) for term in terms)

    return loss


def _models() -> Registry:
    """Return mmseg's registry of models, after registering our modules."""
    ops.install()
    import mmseg.models  # noqa: F401  registers
    from mmseg.registry import MODELS

    import prior_bench.openmmlab.backbone
    import prior_bench.openmmlab.dice_loss
    import prior_bench.openmmlab.focal_loss
    import prior_bench.openmmlab.logit_segmentor
    import prior_bench.openmmlab.lovt_heads
    import prior_bench.openmmlab.smp_unet_head
    import prior_bench.openmmlab.unet_head  # noqa: F401

    return MODELS


def _losses(protocol: Protocol) -> list[dict[str, Any]]:
    for name in protocol.head["loss"]:
        if name not in LOSSES:
            raise unknown_name("segmentation loss", name, list(LOSSES), where=protocol.name)
    weights = protocol.head["loss"].items()
    softmax = dict(use_sigmoid=False) if protocol.head.get("outputs", 1) == 2 else {}
    return [
        dict(LOSSES[name], **softmax, loss_weight=weight) for name, weight in weights if weight is not None
    ]
