"""Read an image from a file of its own or from the image cache."""

from __future__ import annotations

import os

import numpy as np

from prior_bench.data.images.cache.reading import cached_size, is_cached, read_cached
from prior_bench.data.images.decode import decode_file, decode_with_remarks, size_of_file
from prior_bench.data.images.remarks import ImageRemark


def read_image(path: str | os.PathLike) -> np.ndarray:
    """Read an image as uint8 [height, width], with dense tissue bright.

    Args:
        path: path of a file, or of an image in the cache (:mod:`prior_bench.data.images.cache`).

    Raises:
        BenchError: the file is missing, empty, truncated, or not an image in a supported format.
    """
    return read_cached(str(path)) if is_cached(path) else decode_file(path)


def read_with_remarks(path: str | os.PathLike) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Read an image as :func:`read_image` does, and say what was guessed or looks wrong.

    An image in the cache has no remarks: they are about its original.

    Raises:
        BenchError: the file is missing, empty, truncated, or not an image in a supported format.
    """
    return (read_cached(str(path)), ()) if is_cached(path) else decode_with_remarks(path)


def image_size(path: str | os.PathLike) -> tuple[int, int]:
    """Return the (height, width) of the array that :func:`read_image` returns, from the header alone.

    Raises:
        BenchError: the file is missing or has no image header.
    """
    return cached_size(str(path)) if is_cached(path) else size_of_file(path)
