"""Inputs that a fixture and our computation make alike from integers: pictures, maps and weights."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


def picture(height: int, width: int) -> np.ndarray:
    """Return a smooth picture with a bright frame and a dark disc, uint8 [height, width]."""
    y, x = np.mgrid[:height, :width]
    pixels = 60 + 90 * y // height + 70 * x // width
    pixels[(y < height // 8) | (x < width // 8)] = 230
    pixels[(3 * y - 2 * height) ** 2 + (3 * x - 2 * width) ** 2 < (height * width) // 16] = 20
    return pixels.astype(np.uint8)


def wave(*shape: int, start: int = 0) -> Tensor:
    """Return numbers in [-1, 1] without a pattern that a layer could miss, float32 of a shape."""
    count = int(np.prod(shape))
    steps = np.arange(start, start + count, dtype=np.int64)
    return torch.from_numpy(((steps * 7919 % 2003) / 1001.0 - 1).astype(np.float32).reshape(shape))


def plant(parameters: list[nn.Parameter], gain: float = 1.0) -> None:
    """Fill parameters in the given order: matrices and kernels by their fan-in, others around one half.

    Args:
        parameters: what is filled.
        gain: factor of matrices and kernels. In a deep decoder, one carries what comes from below to the end.
    """
    for index, parameter in enumerate(parameters):
        values = wave(*parameter.shape, start=31 * index)
        with torch.no_grad():
            if parameter.ndim > 1:
                parameter.copy_(values * gain * (6 / parameter[0].numel()) ** 0.5)
            else:
                parameter.copy_(0.5 + 0.1 * values)


def sketch(values: Tensor | np.ndarray, count: int = 8) -> list[float]:
    """Return means of ``count`` parts of the rows and of the columns of the last two axes, and all over."""
    array = np.asarray(values, dtype=np.float64)
    array = array.reshape(-1, *array.shape[-2:]).mean(axis=0)
    rows = [part.mean() for part in np.array_split(array, count, axis=0)]
    columns = [part.mean() for part in np.array_split(array, count, axis=1)]
    return [round(float(value), 6) for value in [*rows, *columns, (array**2).mean()]]
