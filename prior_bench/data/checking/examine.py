"""Look at every image and its annotations once, and keep the facts that the checks need."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from prior_bench.data.annotations.masks import decode_with_remarks
from prior_bench.data.images.decode import reduced
from prior_bench.data.images.read import image_size, read_with_remarks
from prior_bench.data.images.remarks import ImageRemark
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.runtime import progress

SPREAD = 2.0
"""Standard deviation, in grey levels, below which an image is nearly constant."""
HASH_SIDE = 16
"""Side of the grid of a perceptual hash, which has ``HASH_SIDE`` squared bits."""


@dataclass(frozen=True)
class Examined:
    """Facts about one image.

    Attributes:
        problem: why it or its mask cannot be read, or "".
        size: (height, width) in pixels; (0, 0) if unknown.
        spread: standard deviation of its grey levels; None if it was not decoded.
        pixels: hash of its size and pixels, or "".
        look: perceptual hash, uint8 [HASH_SIDE ** 2 / 8], or None.
        mask: pixels of its mask above 0, as a share of the image; None without a mask.
        remarks: guesses at the image and its mask, each with the file that it is about.
        outside: whether a box extends beyond the image.
    """

    problem: str = ""
    size: tuple[int, int] = (0, 0)
    spread: float | None = None
    pixels: str = ""
    look: np.ndarray | None = None
    mask: float | None = None
    remarks: tuple[tuple[Path, ImageRemark], ...] = ()
    outside: bool = False


def examine(
    manifest: Manifest, *, decode: bool = True, near: bool = False, workers: int | None = None
) -> list[Examined]:
    """Return the facts about each row, in the order of the manifest.

    Args:
        manifest: the data set.
        decode: whether to decode images and masks, or to read image headers only.
        near: whether to compute perceptual hashes.
        workers: number of threads; by default one per core.
    """
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        done = pool.map(lambda row: _examine(manifest, row, decode, near), range(len(manifest)))
        return list(progress(done, "decoding" if decode else "reading headers", total=len(manifest)))


def _examine(manifest: Manifest, row: int, decode: bool, near: bool) -> Examined:
    try:
        path = manifest.path(row)
        if not decode:
            size = image_size(path)
            return Examined(size=size, outside=_outside(manifest, row, size))
        image, said = read_with_remarks(path)
        height, width = image.shape
        share, of_mask = _mask(manifest, row, height, width)
        for phrase in _phrases(manifest, row):
            if not phrase.problem() and not phrase.region(height, width).any():
                raise BenchError(f"the region of the phrase '{phrase.text}' is empty", where=path)
        return Examined(
            size=(height, width),
            spread=float(image.std()),
            pixels=hashlib.blake2b(
                f"{height}x{width}".encode() + image.tobytes(), digest_size=16
            ).hexdigest(),
            look=perceptual_hash(image) if near else None,
            mask=share,
            remarks=(*((Path(path), remark) for remark in said), *of_mask),
            outside=_outside(manifest, row, (height, width)),
        )
    except BenchError as error:
        return Examined(problem=str(error).splitlines()[0])


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """Return a hash that changes little with the size, brightness or compression of an image.

    Each bit says whether a cell of a coarse grid is darker than its right neighbour (a difference hash).

    Args:
        image: uint8 [height, width].
    """
    from PIL import Image

    small = Image.fromarray(reduced(image, 256)).resize((HASH_SIDE + 1, HASH_SIDE), Image.Resampling.BOX)
    grid = np.asarray(small, dtype=np.int16)
    return np.packbits(grid[:, :-1] < grid[:, 1:])


def _mask(
    manifest: Manifest, row: int, height: int, width: int
) -> tuple[float | None, list[tuple[Path, ImageRemark]]]:
    mask = manifest.cell("mask", row) if "mask" in manifest.table else None
    if mask is None:
        return None, []
    pixels, said = decode_with_remarks(mask, height, width)
    file = manifest.root / getattr(mask, "path", "")
    return float(pixels.mean()), [(file, remark) for remark in said]


def _phrases(manifest: Manifest, row: int) -> tuple:
    return (manifest.cell("phrases", row) or ()) if "phrases" in manifest.table else ()


def _outside(manifest: Manifest, row: int, size: tuple[int, int]) -> bool:
    height, width = size
    drawn = [phrase.box_array for phrase in _phrases(manifest, row)]
    if "boxes" in manifest.table and manifest.cell("boxes", row) is not None:
        drawn.append(manifest.cell("boxes", row)[:, :4])
    return any(bool((boxes > (width + 1, height + 1) * 2).any()) for boxes in drawn)
