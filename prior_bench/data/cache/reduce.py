"""What is done to a decoded image before it is kept."""

from __future__ import annotations

from functools import cache

import numpy as np

SMALLEST = 16


def reduced(image: np.ndarray, size: int) -> np.ndarray:
    """uint8 [H, W] with a longest side of at most ``size``: antialiased bilinear, never enlarged."""
    from PIL import Image

    height, width = reduced_shape(*image.shape, size)
    if (height, width) == image.shape:
        return image
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def reduced_shape(height: int, width: int, size: int) -> tuple[int, int]:
    """(height, width) that :func:`reduced` gives."""
    scale = size / max(height, width)
    if scale >= 1:
        return height, width
    return max(1, round(height * scale)), max(1, round(width * scale))


@cache
def recipe() -> str:
    """Version of the code by which an image file becomes grey pixels and these are reduced."""
    from prior_bench.engine.code import code_version

    return code_version("prior_bench.data.images", __name__)
