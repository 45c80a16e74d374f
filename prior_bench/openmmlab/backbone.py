"""Our image encoder as the backbone of an mmseg or mmdet model, and its maps computed beforehand."""

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
    """Reads feature maps of given strides from an image encoder, whatever its stages are.

    Where no stage has a stride (all of a plain ViT's have the same), the nearest stage is resampled
    bilinearly to the size that a stage of that stride would have.

    Args:
        encoder: fulfils :class:`prior_bench.api.encoders.MapEncoderLike`.
        strides: input pixels per pixel of each map, finest first.

    Raises:
        BenchError: the encoder gives no maps.

    Attributes:
        channels: channels of each map.
    """

    def __init__(self, encoder: Any, strides: Sequence[int]):
        require_maps(encoder, type(encoder).__name__)
        self.strides = tuple(strides)
        available = encoder.stage_strides
        self.stages = tuple(_nearest(available, stride) for stride in self.strides)
        self.exact = tuple(available[i] == s for i, s in zip(self.stages, self.strides, strict=True))
        self.channels = tuple(encoder.stage_channels[stage] for stage in self.stages)

    def __call__(self, encoder: Any, images: Tensor) -> tuple[Tensor, ...]:
        """Maps [B, C, H / stride, W / stride] of images [B, C, H, W], in order of ``strides``."""
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
    """Index of the stage with the nearest stride by ratio; of equally near ones the deepest."""
    distance = [abs(math.log2(one / stride)) for one in available]
    return max(range(len(available)), key=lambda i: (-distance[i], i))


@MODELS.register_module()
class EncoderBackbone(BaseModule):
    """An ImageEncoder as backbone; registered in mmengine's root, so that mmseg and mmdet both see it.

    A wholly frozen encoder is used in place and kept out of the module tree: ``train()`` cannot move its
    BatchNorm statistics, the optimiser does not see it, and checkpoints leave it out. In all other cases
    the model trains a copy, so that the Backbone it came from stays as it was.

    Args:
        encoder: the ImageEncoder.
        strides: of the maps to give, finest first.
        frozen: ``{"backbone": bool, "batch_norm": bool}``, as in Protocol. A frozen BatchNorm stays in
            eval mode; a frozen backbone whose ``batch_norm`` is not keeps its weights while its running
            statistics move, as in MGCA's segmentation and detection code.
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
        """Feature maps of images [B, C, H, W], finest first."""
        if not self.outside:
            return self.maps(self.encoder, images)
        with torch.no_grad():
            return self.maps(self._hidden[0], images)

    def train(self, mode: bool = True) -> EncoderBackbone:
        """Training mode for what is not frozen."""
        super().train(mode)
        if self.batch_norm_frozen:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def init_weights(self) -> None:
        """Nothing: the encoder comes with its weights, and mmengine would draw new ones."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> EncoderBackbone:
        super()._apply(fn, recurse)
        if self.outside:
            self._hidden[0]._apply(fn, recurse)
        return self


@MODELS.register_module()
class PrecomputedMaps(BaseModule):
    """A backbone that is fed the feature maps themselves and passes them on."""

    def forward(self, maps: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The maps as they come."""
        return maps


@MODELS.register_module()
class StackInputs(BaseDataPreprocessor):
    """Moves a batch to the device and stacks it; images come normalised for the backbone already.

    ``inputs`` is a list of B images, or, for each feature map, a list of B (as mmengine collates tuples).
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """The batch with ``inputs`` [B, C, H, W], or a tuple of such, one per map."""
        data = self.cast_data(data)
        inputs = data["inputs"]
        stacked: Tensor | tuple[Tensor, ...]
        if isinstance(inputs[0], Tensor):
            stacked = torch.stack(tuple(inputs))
        else:
            stacked = tuple(torch.stack(level) for level in inputs)
        return {**data, "inputs": stacked}


def is_frozen(frozen: dict[str, bool]) -> bool:
    """Whether nothing of the backbone changes in training, so that it need be run once only."""
    return frozen["backbone"] and frozen["batch_norm"]
