"""The image encoder of a model that another library built."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from prior_bench.api import Features, InputSpec
from prior_bench.encoders import grad_cam_layer
from prior_bench.encoders.probe import attempt, blank_images, evaluated
from prior_bench.errors import BenchError

MAPS_OF_A_VIT = 4
"""Number of equal stages that the one map of a plain ViT counts as, as in ImageEncoder."""


class Reading(NamedTuple):
    """What a vision model gives for B images.

    Attributes:
        pooled: [B, D], the global feature before a projection to the joint space.
        map: [B, C, H, W], the last map, normalised as the model normalises it.
        stages: maps [B, C, H, W] of the stages, finest first; of a plain ViT only ``map``.
    """

    pooled: Tensor
    map: Tensor
    stages: tuple[Tensor, ...]


class LibraryEncoder(nn.Module, ABC):
    """A vision model with the contract of :class:`prior_bench.api.encoders.MapEncoderLike`.

    Args:
        model: the library's module; its parameters keep their names under ``model.``.
        input: the input that it expects.
        native: side length in pixels that its position embeddings were made for; None if it has none.
        divisor: the input's side must be a multiple of it (the patch size of a transformer).

    Attributes:
        dim, local_dim, input, stage_channels, stage_strides: as in ImageEncoder.
    """

    def __init__(self, model: nn.Module, input: InputSpec, native: int | None = None, divisor: int = 1):
        super().__init__()
        self.model: Any = model
        self.input, self.native, self.divisor = input, native, divisor

    @abstractmethod
    def read(self, images: Tensor) -> Reading:
        """Run the library's model on images [B, C, S, S], whose size has been checked."""

    @property
    def grad_cam_layer(self) -> nn.Module | None:
        """The layer whose output Grad-CAM reads; None if the model has none."""
        return grad_cam_layer.of_vit(self.model)

    @abstractmethod
    def save_to(self, target: Path) -> str:
        """Write the whole model into a new folder in its library's form.

        Returns:
            The line that loads it, with ``{shown}`` in place of the folder.
        """

    def measure(self) -> None:
        """Set the declared sizes by a run on one blank image.

        Raises:
            BenchError: the model fails on its own input.
        """
        images, where = blank_images(self, self.input), type(self.model).__name__
        with evaluated(self):
            found = attempt(lambda: self._read(images), where, f"fails on an image {list(images.shape)}")
        self.dim: int = found.pooled.shape[1]
        self.local_dim: int = found.map.shape[1]
        maps = found.stages if len(found.stages) > 1 else found.stages * MAPS_OF_A_VIT
        self.stage_channels: tuple[int, ...] = tuple(one.shape[1] for one in maps)
        self.stage_strides: tuple[int, ...] = tuple(round(self.input.size / one.shape[-1]) for one in maps)

    def forward(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as global [B, dim] and local features [B, H*W, local_dim]."""
        found = self._read(images)
        return Features(found.pooled, found.map.flatten(2).transpose(1, 2))

    def feature_maps(self, images: Tensor, stages: tuple[int, ...]) -> list[Tensor]:
        """Return maps [B, C, H, W] of the given stages (indices into ``stage_channels``; -1 is the last)."""
        maps = self._read(images).stages
        return [maps[stage % len(self.stage_channels)] if len(maps) > 1 else maps[0] for stage in stages]

    def _read(self, images: Tensor) -> Reading:
        require_divisible(images.shape[-1], self.divisor, type(self.model).__name__)
        return self.read(images)


def require_divisible(size: int, divisor: int, where: str) -> None:
    """Raise BenchError if an input of ``size`` pixels cannot be divided into patches."""
    if what := indivisible(size, divisor):
        lower = size - size % divisor
        sizes = f"{lower} or {lower + divisor}" if lower else str(divisor)
        fix = f"set the input's size to {sizes} (eval: --input size={lower + divisor})"
        raise BenchError(what, where=where, fix=fix)


def indivisible(size: int, divisor: int) -> str:
    """Return why an input of ``size`` pixels cannot be divided into patches; empty if it can."""
    return f"an input of {size} pixels cannot be divided into patches of {divisor}" if size % divisor else ""


def grid_of(tokens: Tensor, height: int, width: int) -> Tensor:
    """Return the map [B, C, height, width] of the last ``height * width`` tokens [B, N, C]."""
    return tokens[:, tokens.shape[1] - height * width :].transpose(1, 2).unflatten(2, (height, width))
