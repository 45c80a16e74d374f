"""The schema of segmentation protocols."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from prior_bench.metrics import segmentation
from prior_bench.schema.base import (
    Count,
    Distinct,
    Dropout,
    Nothing,
    OneOf,
    Positive,
    Problems,
    Several,
    Strict,
)
from prior_bench.schema.protocol import monitor_problems
from prior_bench.schema.transforms import Transform

from .training import TrainedProtocol

Strides = Annotated[Distinct[Literal[1, 2, 4, 8, 16, 32]], Field(min_length=1)]


class Loss(Strict):
    """Weights of the terms of the loss; terms without a weight are not used."""

    cross_entropy: Positive | None = None
    """Binary cross-entropy."""
    dice: Positive | None = None
    """1 - Dice over the batch."""
    smp_dice: Positive | None = None
    """1 - Dice over the batch without smoothing; 0 for a batch without foreground (LoVT)."""
    log_dice: Positive | None = None
    """-log Dice over the batch."""
    focal: Positive | None = None
    """Focal loss."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        problems = Problems()
        if not any(getattr(self, name) for name in type(self).model_fields):
            problems.add(
                "cross_entropy", None, "the loss has no term", "e.g. dict(cross_entropy=1.0, dice=1.0)"
            )
        problems.raise_any()
        return self


class Decoder(Strict):
    """The common keys of decoders."""

    strides: Strides
    """Strides of the backbone's maps, finest first."""
    dropout: Dropout = 0.0
    """Dropout before the last layer."""
    loss: Loss
    """Terms of the loss."""


class SegmentationTransform(Transform):
    """The preparation of images and masks."""

    masks: Literal["nearest", "area"] = "nearest"
    """Filter of the resizing of masks: the nearest pixel, or the foreground's share of the area that a pixel
    covers; the loss then sees soft edges, and a pixel is foreground from above one half (MGCA, GLoRIA)."""
    augment: Literal["resized", "stored"] = "resized"
    """Image that augmentations change: after the resizing, or as stored (MGCA, GLoRIA)."""

    @model_validator(mode="after")
    def _keep_the_size(self) -> Self:
        problems = Problems()
        for name in ("Resize", "RandomResizedCrop", "RandomCrop"):
            if self.augment == "stored" and self.train and getattr(self.train, name) is not None:
                what = "changes the size of the image, but augment is 'stored'"
                problems.add(f"train.{name}", getattr(self.train, name), what, "leave augment out")
        problems.raise_any()
        return self


class UNetDecoder(Decoder):
    """A U-Net decoder on the maps."""

    type: Literal["unet"]
    """U-Net decoder."""
    channels: Several[Count]
    """Width of each block, coarsest first; one block fewer than strides."""

    @model_validator(mode="after")
    def _one_block_between_maps(self) -> Self:
        problems, wanted = Problems(), len(self.strides) - 1
        if len(self.channels) != wanted:
            what = f"has {len(self.channels)} entries; {len(self.strides)} strides need {wanted}"
            problems.add("channels", self.channels, what)
        problems.raise_any()
        return self


class SmpUNetDecoder(Decoder):
    """The U-Net of segmentation_models_pytorch 0.2 on the maps."""

    type: Literal["smp_unet"]
    """U-Net with nearest upsampling and blocks up to the size of the input (MGCA, GLoRIA)."""
    channels: Several[Count]
    """Width of each block, coarsest first; as many as strides, which begin at 2 and double."""

    @model_validator(mode="after")
    def _one_block_for_each_map(self) -> Self:
        problems, wanted = Problems(), tuple(2 ** (n + 1) for n in range(len(self.strides)))
        if tuple(self.strides) != wanted:
            problems.add("strides", self.strides, f"must be {wanted}: each block doubles the size")
        if len(self.channels) != len(self.strides):
            what = f"has {len(self.channels)} entries; {len(self.strides)} strides need as many"
            problems.add("channels", self.channels, what)
        problems.raise_any()
        return self


class ResUNetDecoder(Decoder):
    """LoVT's U-Net on the maps and on the image."""

    type: Literal["resunet"]
    """U-Net with a bridge, transposed convolutions and a last block that sees the image (LoVT)."""
    channels: Several[Count]
    """Width of the bridge and of each block, coarsest first; one more than strides, which begin at 2 and
    double."""

    @model_validator(mode="after")
    def _bridge_and_blocks(self) -> Self:
        problems, wanted = Problems(), tuple(2 ** (n + 1) for n in range(len(self.strides)))
        if tuple(self.strides) != wanted:
            problems.add("strides", self.strides, f"must be {wanted}: each block doubles the size")
        if len(self.channels) != len(self.strides) + 1:
            what = (
                f"has {len(self.channels)} entries; {len(self.strides)} strides need {len(self.strides) + 1}"
            )
            problems.add("channels", self.channels, what)
        problems.raise_any()
        return self


class LinearDecoder(Decoder):
    """One linear layer per pixel of the coarsest map."""

    type: Literal["linear", "linear_lovt"]
    """Linear decoder, with MMSegmentation's initial weights or with PyTorch's (LoVT)."""
    channels: Annotated[Several[Count], Field(max_length=0)] = ()
    """Not used."""


class UperNetDecoder(Decoder):
    """UPerNet with pooling scales 1, 2, 3 and 6."""

    outputs: Literal[1, 2] = 1
    """Output channels: one with a sigmoid, or background and foreground with a softmax (BenchX)."""

    type: Literal["upernet"]
    """UPerNet decoder (BenchX)."""
    channels: Annotated[Several[Count], Field(min_length=1, max_length=1)]
    """Width of the decoder, a list of one number."""


class SegmentationProtocol(TrainedProtocol):
    """Semantic segmentation by a decoder on the backbone."""

    transform: SegmentationTransform = SegmentationTransform()
    """The preparation of images and masks."""
    head: Annotated[
        UNetDecoder | SmpUNetDecoder | ResUNetDecoder | LinearDecoder | UperNetDecoder,
        Field(discriminator="type"),
    ]
    """The decoder."""
    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: segmentation.METRICS)]], Field(min_length=1)
    ]
    """Names of the metrics, the primary one first; ``stopping.monitor`` is one of them, or ``minus_loss``."""
    options: Nothing = Nothing()
    """Not used."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        monitor_problems(self.stopping, (*self.metrics, "minus_loss"), problems)
        problems.raise_any()
        return self
