"""The one path from a decoded image to a mask of 0 and 1 (table in docs/images.md)."""

from __future__ import annotations

import numpy as np

from prior_bench.data.images.decoded import Decoded, upright
from prior_bench.data.images.grey import level_counts
from prior_bench.data.images.remarks import ImageRemark


def to_mask(decoded: Decoded) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Return the mask, uint8 [height, width] of 0 and 1, and what was guessed.

    Values above 0 (with inverted polarity, below the highest) are inside. Lossy files and floats with more
    than two levels are cut at half of their highest value. Transparent pixels are outside; if the colours
    do not differ, the mask is what is opaque.
    """
    remarks = list(decoded.remarks)
    values = decoded.pixels.max(axis=2) if decoded.pixels.ndim == 3 else decoded.pixels
    finite = np.isfinite(values) if values.dtype.kind == "f" else None
    if finite is None or finite.all():
        inside = _inside(decoded, values, remarks)
    else:
        count = int(finite.size - np.count_nonzero(finite))
        remarks.append(ImageRemark("non_finite", f"{count} pixels are no number and outside of the mask"))
        inside = np.zeros(values.shape, bool)
        if finite.any():
            inside[finite] = _inside(decoded, values[finite], remarks)
    if decoded.indices is not None and _constant(inside) and not _constant(decoded.indices):
        inside = decoded.indices > 0
        remarks.append(
            ImageRemark("colour", "the palette's colours do not differ; indices above 0 are inside")
        )
    if decoded.alpha is not None and not _constant(decoded.alpha):
        inside = _opaque(decoded, inside, remarks)
    return np.ascontiguousarray(upright(inside, decoded.orientation)).astype(np.uint8), tuple(remarks)


def _inside(decoded: Decoded, values: np.ndarray, remarks: list[ImageRemark]) -> np.ndarray:
    low, high = values.min(), values.max()
    if decoded.inverted:
        top = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
        return values < (top if low == high else high)
    levels = _levels(values)
    if levels <= 2:
        return values > 0
    if decoded.lossy or values.dtype.kind == "f":
        remarks.append(ImageRemark("levels", f"mask has {levels} grey levels; those above half are inside"))
        return values > float(high) / 2
    remarks.append(ImageRemark("levels", f"mask has {levels} grey levels; those above 0 are inside"))
    return values > 0


def _opaque(decoded: Decoded, inside: np.ndarray, remarks: list[ImageRemark]) -> np.ndarray:
    """Take transparent pixels out of the mask, or return the opaque ones if colours say nothing."""
    assert decoded.alpha is not None
    opaque = decoded.alpha > decoded.alpha.max() // 2
    both = inside & opaque
    if _constant(decoded.pixels) or not both.any():
        remarks.append(ImageRemark("alpha", "mask is drawn in the alpha channel; what is opaque is inside"))
        return opaque
    if (both != inside).any():
        remarks.append(ImageRemark("alpha", "what is transparent is outside of the mask"))
    return both


def _constant(values: np.ndarray) -> bool:
    """Whether all pixels, [H, W] or [H, W, 3], are the same."""
    return bool((values == values[0, 0]).all())


def _levels(values: np.ndarray) -> int:
    if values.dtype == np.uint8:
        return int(np.count_nonzero(level_counts(values)))
    return len(np.unique(values))
