"""Read an image wherever it is stored: in a file of its own, or in the image cache."""

from __future__ import annotations

import os

import numpy as np

from prior_bench.data.images.cache.reading import cached_size, is_cached, read_cached
from prior_bench.data.images.decode import decode_file, size_of_file


def read_image(path: str | os.PathLike) -> np.ndarray:
    """The image as uint8 [height, width], bright where little passed through the body.

    Args:
        path: of a file, or of an image in the cache (:mod:`prior_bench.data.images.cache`).

    Raises:
        BenchError: missing, empty, truncated, or not an image of a kind that can be read here.
    """
    return read_cached(str(path)) if is_cached(path) else decode_file(path)


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """(height, width) as :func:`read_image` would give it, from the header alone.

    Raises:
        BenchError: missing, or no image header.
    """
    return cached_size(str(path)) if is_cached(path) else size_of_file(path)
