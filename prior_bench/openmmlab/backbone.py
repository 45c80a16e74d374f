"""Image encoders as backbones of mmseg and mmdet models, and precomputed feature maps."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor, BaseModule
from mmengine.registry import MODELS
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from prior_bench.api.encoders import require_maps


class MapReader:
    """Reader of feature maps with given strides from any image encoder.

    If no stage has a wanted stride (all stages of a plain ViT have the same stride), the nearest stage is
    resampled bilinearly to the size that a stage with this stride would have.

    Args:
        encoder: a :class:`prior_bench.api.encoders.MapEncoderLike`.
        strides: input pixels per pixel of each map, finest map first.

    Raises:
        BenchError: the encoder gives no maps.

    Attributes:
        channels: number of channels of each map.
    """

    def __init__(self, encoder: Any, strides: Sequence[int]):
        require_maps(encoder, type(encoder).__name__)
        self.strides = tuple(strides)
        available = encoder.stage_strides
        self.stages = tuple(_nearest(available, stride) for stride in self.strides)
        self.exact = tuple(available[i] == s for i, s in zip(self.stages, self.strides, strict=True))
        self.channels = tuple(encoder.stage_channels[stage] for stage in self.stages)

    def __call__(self, encoder: Any, images: Tensor) -> tuple[Tensor, ...]:
        """Return maps [B, C, H / stride, W / stride] of images [B, C, H, W], in the order of ``strides``."""
        stages = tuple(sorted(set(self.stages)))
        maps = dict(zip(stages, encoder.feature_maps(images, stages), strict=True))
        found = []
        for stage, stride, exact in zip(self.stages, self.strides, self.exact, strict=True):
            values = maps[stage]
            if not exact:
                size = [math.ceil(side / stride) for side in images.shape[-2:]]
                values = functional.interpolate(values, size=size, mode="bilinear", align_corners=False)
            found.append(values)
        return tuple(found)


def _nearest(available: Sequence[int], stride: int) -> int:
    """Return the index of the stage with the nearest stride by ratio; among equally near ones the deepest."""
    distance = [abs(math.log2(one / stride)) for one in available]
    return max(range(len(available)), key=lambda i: (-distance[i], i))


@MODELS.register_module()
class EncoderBackbone(BaseModule):
    """An image encoder as a backbone, registered in mmengine's root so that both mmseg and mmdet find it.

    A fully frozen encoder is used without a copy and is not part of the module tree. Therefore ``train()``
    cannot change its BatchNorm statistics, the optimiser does not see it, and checkpoints do not contain it.
    In all other cases, the model trains a copy, so that the original Backbone does not change.

    Args:
        encoder: the image encoder.
        strides: strides of the maps, finest map first.
        frozen: ``{"backbone": bool, "batch_norm": bool}``, as in Protocol. Frozen BatchNorm layers stay in
            evaluation mode. If only ``backbone`` is True, weights are fixed but running statistics change, as
            in MGCA's segmentation and detection code.
    """

    def __init__(self, encoder: nn.Module, strides: Sequence[int], frozen: dict[str, bool]):
        super().__init__()
        self.maps = MapReader(encoder, strides)
        self.outside = is_frozen(frozen)
        self.batch_norm_frozen = frozen["batch_norm"]
        if self.outside:
            # a tuple hides the module from nn.Module's registration
            self._hidden = (encoder.eval(),)
        else:
            self.encoder = copy.deepcopy(encoder).requires_grad_(not frozen["backbone"])

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Return the feature maps of images [B, C, H, W], finest map first."""
        if not self.outside:
            return self.maps(self.encoder, images)
        with torch.no_grad():
            return self.maps(self._hidden[0], images)

    def train(self, mode: bool = True) -> EncoderBackbone:
        """Switch to training mode, except for what is frozen."""
        super().train(mode)
        if self.batch_norm_frozen:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def init_weights(self) -> None:
        """Keep the weights of the encoder; mmengine would initialise them again."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> EncoderBackbone:
        super()._apply(fn, recurse)
        if self.outside:
            self._hidden[0]._apply(fn, recurse)
        return self


@MODELS.register_module()
class PrecomputedMaps(BaseModule):
    """A backbone whose inputs are feature maps, which it returns unchanged."""

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return the maps unchanged."""
        return maps


@MODELS.register_module()
class StackInputs(BaseDataPreprocessor):
    """Data preprocessor that moves a batch to the device and stacks it; images are already normalised.

    ``inputs`` is a list of B images or, for feature maps, one list of B tensors per map (as mmengine collates
    tuples).
    """

    _empty: Tensor | tuple[Tensor, ...] | None = None

    def forward(self, data: dict[str, Any] | None, training: bool = False) -> dict[str, Any]:
        """Return the batch with ``inputs`` [B, C, H, W], or a tuple of such tensors, one per map.

        None is an empty share of a batch.
        """
        if data is None:
            assert self._empty is not None, "the first share of a round is not empty"
            return {"inputs": self._empty, "data_samples": []}
        data = self.cast_data(data)
        inputs = data["inputs"]
        stacked: Tensor | tuple[Tensor, ...]
        if isinstance(inputs[0], Tensor):
            stacked = torch.stack(tuple(inputs))
            self._empty = stacked[:0].clone()
        else:
            stacked = tuple(torch.stack(level) for level in inputs)
            self._empty = tuple(level[:0].clone() for level in stacked)
        return {**data, "inputs": stacked}


def is_frozen(frozen: dict[str, bool]) -> bool:
    """Whether training does not change the backbone at all, so that one run of it suffices."""
    return frozen["backbone"] and frozen["batch_norm"]
