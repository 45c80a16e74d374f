"""A decoded image file: its values and what the file says about them, before anything is done with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prior_bench.data.images.remarks import ImageRemark
from prior_bench.errors import BenchError

MOST_PIXELS = 200_000_000
"""Most pixels of an image; a progressive JPEG of this size needs 1.4 GB."""
MOST_BYTES = 900_000_000
"""Most bytes of the decoded samples of an image."""


@dataclass(frozen=True)
class Decoded:
    """What a decoder returns. Nothing has been stretched, inverted, windowed or turned, with one exception:
    Pillow shows values of at most 8 bits as 0 to 255 with white as 255, whatever the file's polarity.

    Attributes:
        pixels: [H, W] or, with colours, [H, W, 3]; any numeric type.
        exact: whether grey values are 8-bit values that are shown as they are, not stretched.
        alpha: [H, W], of the same depth as the colours; None if the file has no such channel.
        indices: [H, W], indices of a palette whose colours are ``pixels``; None without a palette.
        inverted: whether the lowest value is white.
        top: value that is white if that is less than what the type of ``exact`` pixels holds, else None.
        orientation: 1 to 8, as in EXIF.
        padding: [H, W], True where a pixel is no part of the picture; None if the file names no padding.
        window: applies the file's window to (a part of) ``pixels``; None if there is none.
        lossy: whether the compression changes values.
        remarks: what the decoder guessed.
    """

    pixels: np.ndarray
    exact: bool = False
    alpha: np.ndarray | None = None
    indices: np.ndarray | None = None
    inverted: bool = False
    top: int | None = None
    orientation: int = 1
    padding: np.ndarray | None = None
    window: Callable[[np.ndarray], np.ndarray] | None = None
    lossy: bool = False
    remarks: tuple[ImageRemark, ...] = ()


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an array, [H, W, ...], as an EXIF orientation from 1 to 8 says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def known_orientation(value: object) -> tuple[int, tuple[ImageRemark, ...]]:
    """Return the orientation that a tag holds, or 1 with a remark if it holds no valid one."""
    if value is None or value == 0:  # 0 is written by cameras that do not know
        return 1, ()
    if isinstance(value, int) and 1 <= value <= 8:
        return value, ()
    return 1, (ImageRemark("orientation", f"orientation '{str(value)[:20]}' is unknown and left out"),)


def require_bounded(path: Path, height: int, width: int, bytes_per_pixel: float = 1) -> None:
    """Check, before anything is decoded, that an image fits into memory.

    Raises:
        BenchError: it has no pixels, or more than :data:`MOST_PIXELS` or :data:`MOST_BYTES`.
    """
    if height < 1 or width < 1:
        raise BenchError(f"image is {width}x{height} pixels", where=path, fix="download the file again")
    if height * width > MOST_PIXELS or height * width * bytes_per_pixel > MOST_BYTES:
        raise BenchError(
            f"image is {width}x{height} pixels, {height * width * bytes_per_pixel / 1e6:,.0f} MB decoded; "
            f"at most {MOST_PIXELS / 1e6:.0f} million pixels and {MOST_BYTES / 1e6:.0f} MB are read",
            where=path,
            fix="reduce it, or leave the image out",
        )
