"""The one path from a decoded image to the grey image that networks see (table in docs/images.md)."""

from __future__ import annotations

import numpy as np

from prior_bench.data.images.decoded import Decoded, upright
from prior_bench.data.images.remarks import ImageRemark

LUMINANCE = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""
USELESS = 0.95
"""Share of pixels that a window makes equal, from which on it shows nothing."""
CLIPPED = 0.75
"""Share of pixels beyond a window from which on a remark says so."""
FEW_LEVELS = 32
"""Most grey levels that hold 99 % of an image with the remark ``range``."""
BLOCK = 1 << 22
"""Pixels that are converted at a time, which bounds the memory for floats."""


def to_grey(decoded: Decoded) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Return the grey image, uint8 [height, width] with dense tissue bright, and what was guessed.

    In this order: colours become luminance; values that are no numbers and padding are set aside; the window
    is applied, unless it shows nothing; values of more than 8 bits are stretched from their own range; the
    polarity is turned if the lowest value is white; padding becomes black; the image is turned upright.
    """
    remarks = list(decoded.remarks)
    values, top = decoded.pixels, decoded.top
    if values.ndim == 3:
        values, top = luminance(_full_scale(values, top, remarks)), None
    finite = _finite(values)
    padding = _outlying(decoded, values, remarks)
    valid = _both(finite, None if padding is None else ~padding)
    if decoded.window is not None:
        values = _windowed(decoded, values, valid, remarks)
    if decoded.exact and values.dtype == np.uint8:
        grey = _full_scale(values, top, remarks)
    else:
        grey = stretch(values, valid)
    if decoded.inverted:
        grey = 255 - grey
    if finite is not None:
        grey = np.where(finite, grey, np.uint8(0))
        count = int(finite.size - np.count_nonzero(finite))
        remarks.append(ImageRemark("non_finite", f"{count} pixels are no number (NaN or infinite) and black"))
    if padding is not None:
        grey = np.where(padding, np.uint8(0), grey)
    if decoded.alpha is not None and decoded.alpha.min() != decoded.alpha.max():
        constant = " although the colours are all the same" if values.min() == values.max() else ""
        remarks.append(ImageRemark("alpha", f"its alpha channel varies and is left out{constant}"))
    return np.ascontiguousarray(upright(grey, decoded.orientation)), tuple(remarks)


def luminance(colours: np.ndarray) -> np.ndarray:
    """Convert colours, [H, W, 3], to grey, [H, W]: uint8 of uint8, else float."""
    if colours.dtype == np.uint8:
        return np.rint(colours @ LUMINANCE).astype(np.uint8)
    grey = np.empty(colours.shape[:2], np.float64)
    for rows in _blocks(grey):
        grey[rows] = colours[rows] @ LUMINANCE
    return grey


def stretch(pixels: np.ndarray, valid: np.ndarray | None = None) -> np.ndarray:
    """Map the range of the valid values linearly to 0..255, uint8; a constant image becomes 0.

    Args:
        pixels: [H, W], any numeric type.
        valid: [H, W], False where a value does not count for the range; all count by default. Such values
            become 0 or 255 if they are beyond the range.
    """
    counted = pixels if valid is None else pixels[valid]
    if not counted.size:
        return np.zeros(pixels.shape, np.uint8)
    low, high = counted.min().item(), counted.max().item()
    grey = np.zeros(pixels.shape, np.uint8)
    if not high > low:
        return grey
    # float32 is exact for what radiographs hold; only a narrow range far from 0 needs more
    far = max(abs(low), abs(high))
    integers = pixels.dtype.kind in "iub" and far <= 2**24
    kind = np.float32 if integers or (far <= 2**24 and high - low > far * 2**-10) else np.float64
    scale = float(high) - float(low)
    if not np.isfinite(scale):  # the range of float64 itself
        pixels, low, scale = pixels / 4, low / 4, high / 4 - low / 4
    for rows in _blocks(grey):
        part = pixels[rows].astype(kind)
        if valid is not None:
            part = np.where(np.isfinite(part), part, low)
        with np.errstate(over="ignore"):
            shown = np.rint((part - low) * (255.0 / scale))
        grey[rows] = np.clip(shown, 0, 255, out=shown).astype(np.uint8)
    return grey


def range_remark(grey: np.ndarray) -> tuple[ImageRemark, ...]:
    """Return a remark if :data:`FEW_LEVELS` grey levels or fewer hold 99 % of a grey image, uint8 [H, W].

    A few extreme values or an undeclared padding value then set the range, or the values were scaled by a
    wrong depth.
    """
    counts = level_counts(grey)
    frequent = np.sort(counts)[::-1]
    levels = int(np.searchsorted(np.cumsum(frequent), 0.99 * grey.size)) + 1
    if levels > FEW_LEVELS:
        return ()
    used = np.flatnonzero(counts >= frequent[levels - 1])
    if levels == 1:
        what = f"{counts.max() / grey.size:.0%} of the pixels have the grey level {used[0]}"
    else:
        what = f"{levels} of 256 grey levels, from {used[0]} to {used[-1]}, hold 99% of the pixels"
    return (ImageRemark("range", what),)


def level_counts(pixels: np.ndarray) -> np.ndarray:
    """Count each of the 256 levels of uint8 pixels, [H, W]; NumPy's own count needs 8 bytes per pixel."""
    from PIL import Image

    return np.array(Image.fromarray(np.ascontiguousarray(pixels)).histogram())


def _finite(values: np.ndarray) -> np.ndarray | None:
    """Return where values are numbers, or None if all are."""
    if values.dtype.kind != "f":
        return None
    finite = np.isfinite(values)
    return None if finite.all() else finite


def _both(one: np.ndarray | None, other: np.ndarray | None) -> np.ndarray | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _outlying(decoded: Decoded, values: np.ndarray, remarks: list[ImageRemark]) -> np.ndarray | None:
    """Return where padding is that is not in the range of the picture; padding inside it is kept."""
    padding = decoded.padding
    if padding is None or not padding.any() or padding.all():
        return None
    picture, outside = values[~padding], values[padding]
    low, high = float(picture.min()), float(picture.max())
    if outside.max() < low - (high - low) / 255 or outside.min() > high + (high - low) / 255:
        return padding
    dark = outside.max() <= low if not decoded.inverted else outside.min() >= high
    if not dark:
        what = (
            f"the padding value occurs in {np.count_nonzero(padding)} pixels and inside the picture's range"
        )
        remarks.append(ImageRemark("padding", what))
    return None


def _windowed(
    decoded: Decoded, values: np.ndarray, valid: np.ndarray | None, remarks: list[ImageRemark]
) -> np.ndarray:
    """Apply the window, unless it makes nearly all pixels equal that differ without it."""
    assert decoded.window is not None
    shown = np.asarray(decoded.window(values))
    counted = shown if valid is None else shown[valid]
    if not counted.size:
        return values
    if not np.isfinite(counted).all():
        remarks.append(ImageRemark("window", "the window is no number and is left out"))
        return values
    most = _share_of_extremes(counted)
    if most >= CLIPPED:
        without = _share_of_extremes(values if valid is None else values[valid])
        if most >= USELESS and without < USELESS:
            low, high = np.min(values), np.max(values)
            what = f"the window shows nothing of the values {low:g} to {high:g} and is left out"
            remarks.append(ImageRemark("window", what))
            return values
        if without < CLIPPED:
            remarks.append(ImageRemark("window", f"{most:.0%} of the pixels are beyond the window"))
    return shown


def _share_of_extremes(values: np.ndarray) -> float:
    """Return the share of the more frequent of the lowest and the highest value."""
    ends = (np.count_nonzero(values == end) for end in (values.min(), values.max()))
    return max(ends) / values.size


def _full_scale(values: np.ndarray, top: int | None, remarks: list[ImageRemark]) -> np.ndarray:
    """Scale values of fewer bits than eight so that their highest possible value is white."""
    if top is None or top >= 255:
        return values
    if values.max() > top:
        what = f"values reach {values.max()}, the header allows {top}; they are shown as they are"
        remarks.append(ImageRemark("bits", what))
        return values
    return np.rint(np.arange(256) * (255.0 / top)).clip(0, 255).astype(np.uint8)[values]


def _blocks(array: np.ndarray) -> list[slice]:
    """Return slices of rows with about :data:`BLOCK` pixels each."""
    rows = max(1, BLOCK // max(1, array.shape[1]))
    return [slice(start, start + rows) for start in range(0, array.shape[0], rows)]
