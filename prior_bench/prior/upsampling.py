"""Nearest up-sampling by two and the convolution after it, in one step."""

import torch
import torch.nn.functional as F
from torch import Tensor

ENOUGH_POSITIONS = 512
"""B x H x W of the input from which the single step is faster; below, making its kernel costs more."""


def upsampled_conv(x: Tensor, weight: Tensor) -> Tensor:
    """``conv3x3(nearest(x))`` without bias: [B, C, H, W] to [B, C', 2H, 2W], same function to rounding.

    An output pixel sees 3 x 3 up-sampled pixels, but these are copies of only 2 x 2 pixels of ``x``. Adding
    up the weights of equal pixels gives a transposed convolution of stride 2 with a 4 x 4 kernel: 4 products
    per output pixel and channel instead of 9, and the up-sampled map is never made.

    Args:
        x: [B, C, H, W].
        weight: [C', C, 3, 3], for padding 1.
    """
    batch, _, height, width = x.shape
    if batch * height * width < ENOUGH_POSITIONS:
        return F.conv2d(F.interpolate(x, scale_factor=2, mode="nearest"), weight, padding=1)
    kernel = _doubled(_doubled(weight, -2), -1)
    return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)


def _doubled(weight: Tensor, axis: int) -> Tensor:
    """The 3 taps along an axis as the 4 taps of a transposed convolution of stride 2."""
    first, middle, last = weight.unbind(axis)
    return torch.stack([last, middle + last, first + middle, first], axis)
