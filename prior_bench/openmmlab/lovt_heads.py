"""LoVT's two segmentation heads as decode heads of mmseg: a linear layer, and a U-Net that sees the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.registry import MODELS
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn

IMAGE_CHANNELS = 3


@MODELS.register_module()
class LovtLinearHead(BaseDecodeHead):
    """One linear layer per pixel of a map, with PyTorch's default initial weights.

    Args:
        in_channels: channels of the map.
        kwargs: arguments of BaseDecodeHead.
    """

    def __init__(self, in_channels: int, **kwargs: Any):
        super().__init__(in_channels=in_channels, channels=in_channels, **kwargs)

    def init_weights(self) -> None:
        """Draw all weights by PyTorch's defaults."""
        self.conv_seg.reset_parameters()

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits [B, classes, h, w] at the size of the map."""
        return self.cls_seg(self._transform_inputs(inputs))


@MODELS.register_module()
class ResUNetHead(BaseDecodeHead):
    """The decoder that LoVT trains on a ResNet (src/models/image/resunet.py), of 100 million parameters.

    Two convolutions on the coarsest map are the bridge. Each block then doubles the size by a transposed
    convolution, concatenates the next finer map, and applies two convolutions; the last block concatenates
    the image itself. All convolutions are 3x3 with a bias, and followed by BatchNorm and ReLU; a 1x1
    convolution gives the logits. Initial weights are PyTorch's defaults.

    Args:
        in_channels: channels of the backbone's maps with strides 2, 4, 8 …, finest first.
        decoder_channels: width of the bridge and of each block, coarsest first; one more than maps.
        kwargs: arguments of BaseDecodeHead.
    """

    takes_images = True

    def __init__(self, in_channels: Sequence[int], decoder_channels: Sequence[int], **kwargs: Any):
        if len(decoder_channels) != len(in_channels) + 1:
            raise ValueError(f"{len(in_channels)} maps need {len(in_channels) + 1} decoder_channels")
        super().__init__(
            in_channels=[IMAGE_CHANNELS, *in_channels],
            channels=decoder_channels[-1],
            in_index=list(range(len(in_channels) + 1)),
            input_transform="multiple_select",
            **kwargs,
        )
        bridge, *widths = decoder_channels
        skips = [*list(in_channels)[-2::-1], IMAGE_CHANNELS]
        self.bridge = _two_convolutions(in_channels[-1], bridge)
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(deep, width, kernel_size=2, stride=2)
            for deep, width in zip(decoder_channels, widths, strict=False)
        )
        self.blocks = nn.ModuleList(
            _two_convolutions(width + skip, width) for width, skip in zip(widths, skips, strict=True)
        )

    def init_weights(self) -> None:
        """Draw all weights by PyTorch's defaults."""
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
                layer.reset_parameters()

    def forward(self, inputs: Sequence[Tensor]) -> Tensor:
        """Return logits [B, classes, H, W] of the images and the maps, finest first."""
        image, *finer, x = self._transform_inputs(inputs)
        skips = [image.expand(-1, IMAGE_CHANNELS, -1, -1), *finer]  # some encoders take one grey channel
        x = self.bridge(x)
        for up, block, skip in zip(self.ups, self.blocks, reversed(skips), strict=True):
            x = block(torch.cat([up(x), skip], dim=1))
        return self.cls_seg(x)


def _two_convolutions(in_channels: int, out_channels: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in (in_channels, out_channels):
        convolution = nn.Conv2d(width, out_channels, kernel_size=3, padding=1)
        layers += [convolution, nn.BatchNorm2d(out_channels), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
