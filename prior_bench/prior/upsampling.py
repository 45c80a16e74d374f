"""Nearest-neighbour up-sampling by two and the following convolution, in one step."""

import torch
import torch.nn.functional as F
from torch import Tensor

ENOUGH_POSITIONS = 512
"""Smallest B x H x W of the input for which the single step is faster; below, its kernel costs more."""


def upsampled_conv(x: Tensor, weight: Tensor) -> Tensor:
    """Compute ``conv3x3(nearest(x))`` without bias, [B, C', 2H, 2W], up to rounding errors.

    An output pixel depends on 3 x 3 up-sampled pixels, which are copies of only 2 x 2 pixels of ``x``. With
    the weights of equal pixels added up, this is a transposed convolution of stride 2 with a 4 x 4 kernel. It
    needs 4 products per output pixel and channel instead of 9, and the up-sampled map is never computed.

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
    """Convert 3 taps along an axis to the 4 taps of a transposed convolution of stride 2."""
    first, middle, last = weight.unbind(axis)
    return torch.stack([last, middle + last, first + middle, first], axis)
