"""A U-Net decoder as a decode head of mmseg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmcv.cnn import ConvModule
from mmengine.registry import MODELS
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torch.nn import functional


@MODELS.register_module()
class UNetHead(BaseDecodeHead):
    """The decoder of a U-Net (Ronneberger et al., arXiv 1505.04597) on the maps of any backbone.

    Starting with the coarsest map, each block upsamples to the next finer map, concatenates it, and applies
    two 3x3 convolutions with BatchNorm and ReLU. mmseg upsamples the logits of the finest map to the input.

    Args:
        in_channels: channels of the backbone's maps, finest first.
        decoder_channels: width of each block, coarsest first; one block fewer than maps.
        kwargs: arguments of BaseDecodeHead.
    """

    def __init__(self, in_channels: Sequence[int], decoder_channels: Sequence[int], **kwargs: Any):
        if len(decoder_channels) != len(in_channels) - 1:
            raise ValueError(f"{len(in_channels)} maps need {len(in_channels) - 1} decoder_channels")
        super().__init__(
            in_channels=list(in_channels),
            channels=decoder_channels[-1],
            in_index=list(range(len(in_channels))),
            input_transform="multiple_select",
            norm_cfg=dict(type="BN"),
            **kwargs,
        )
        coarse = [in_channels[-1], *decoder_channels[:-1]]
        skips = list(in_channels)[-2::-1]
        self.blocks = nn.ModuleList(
            self._block(deep + skip, out)
            for deep, skip, out in zip(coarse, skips, decoder_channels, strict=True)
        )

    def _block(self, in_channels: int, out_channels: int) -> nn.Sequential:
        options = dict(kernel_size=3, padding=1, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        return nn.Sequential(
            ConvModule(in_channels, out_channels, **options),
            ConvModule(out_channels, out_channels, **options),
        )

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits [B, classes, h, w] at the size of the finest map."""
        *skips, x = self._transform_inputs(inputs)
        for block, skip in zip(self.blocks, reversed(skips), strict=True):
            x = functional.interpolate(x, size=skip.shape[-2:], mode="bilinear", align_corners=False)
            x = block(torch.cat([x, skip], dim=1))
        return self.cls_seg(x)
