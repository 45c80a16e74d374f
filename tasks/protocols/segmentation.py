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

from .training import TrainedProtocol

Strides = Annotated[Distinct[Literal[1, 2, 4, 8, 16, 32]], Field(min_length=1)]


class Loss(Strict):
    """Weights of the terms of the loss; terms without a weight are not used."""

    cross_entropy: Positive | None = None
    """Binary cross-entropy."""
    dice: Positive | None = None
    """1 - Dice over the batch."""
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


class UNetDecoder(Decoder):
    """A U-Net decoder on the maps."""

    type: Literal["unet"]
    """U-Net decoder (MGCA, GLoRIA, LoVT)."""
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


class LinearDecoder(Decoder):
    """One linear layer per pixel of the coarsest map."""

    type: Literal["linear"]
    """Linear decoder (LoVT)."""
    channels: Annotated[Several[Count], Field(max_length=0)] = ()
    """Not used."""


class UperNetDecoder(Decoder):
    """UPerNet with pooling scales 1, 2, 3 and 6."""

    type: Literal["upernet"]
    """UPerNet decoder (BenchX)."""
    channels: Annotated[Several[Count], Field(min_length=1, max_length=1)]
    """Width of the decoder, a list of one number."""


class SegmentationProtocol(TrainedProtocol):
    """Semantic segmentation by a decoder on the backbone."""

    head: Annotated[UNetDecoder | LinearDecoder | UperNetDecoder, Field(discriminator="type")]
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
