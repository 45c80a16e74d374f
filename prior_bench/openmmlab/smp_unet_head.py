"""The U-Net decoder of segmentation_models_pytorch 0.2 as a decode head of mmseg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from mmcv.cnn import ConvModule
from mmengine.registry import MODELS
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torch.nn import functional


@MODELS.register_module()
class SmpUNetHead(BaseDecodeHead):
    """The decoder that GLoRIA and MGCA train: ``smp.Unet("resnet50")`` without its encoder.

    It differs from :class:`prior_bench.openmmlab.unet_head.UNetHead` in four ways: each block doubles the
    size by repeating pixels, one more block without a map of the backbone reaches the size of the input, the
    logits are a 3x3 convolution, and the initial weights are uniform (Kaiming in the blocks, Xavier in the
    last layer).

    Args:
        in_channels: channels of the backbone's maps with strides 2, 4, 8 …, finest first.
        decoder_channels: width of each block, coarsest first; as many as maps.
        kwargs: arguments of BaseDecodeHead.
    """

    def __init__(self, in_channels: Sequence[int], decoder_channels: Sequence[int], **kwargs: Any):
        if len(decoder_channels) != len(in_channels):
            raise ValueError(f"{len(in_channels)} maps need {len(in_channels)} decoder_channels")
        super().__init__(
            in_channels=list(in_channels),
            channels=decoder_channels[-1],
            in_index=list(range(len(in_channels))),
            input_transform="multiple_select",
            norm_cfg=dict(type="BN"),
            **kwargs,
        )
        coarse = [in_channels[-1], *decoder_channels[:-1]]
        skips = [*list(in_channels)[-2::-1], 0]
        self.blocks = nn.ModuleList(
            self._block(deep + skip, out)
            for deep, skip, out in zip(coarse, skips, decoder_channels, strict=True)
        )
        self.conv_seg = nn.Conv2d(decoder_channels[-1], self.out_channels, kernel_size=3, padding=1)

    def _block(self, in_channels: int, out_channels: int) -> nn.Sequential:
        options = dict(kernel_size=3, padding=1, norm_cfg=self.norm_cfg, act_cfg=self.act_cfg)
        return nn.Sequential(
            ConvModule(in_channels, out_channels, **options),
            ConvModule(out_channels, out_channels, **options),
        )

    def init_weights(self) -> None:
        """Draw the weights as segmentation_models_pytorch does, instead of mmengine's way."""
        for module in self.blocks.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_uniform_(module.weight, mode="fan_in", nonlinearity="relu")
        nn.init.xavier_uniform_(self.conv_seg.weight)
        nn.init.zeros_(cast(Tensor, self.conv_seg.bias))

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits [B, classes, H, W] at the size of the input."""
        *skips, x = self._transform_inputs(inputs)
        for block, skip in zip(self.blocks, [*reversed(skips), None], strict=True):
            x = functional.interpolate(x, scale_factor=2, mode="nearest")
            x = block(x if skip is None else torch.cat([x, skip], dim=1))
        return self.cls_seg(x)
