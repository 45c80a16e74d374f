"""Mask annotations, kept as the data set stores them and decoded only when needed.

Each class has ``decode(height, width)``, which returns a mask of 0 and 1, uint8 [height, width], at the size
of the stored image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from prior_bench.errors import BenchError

RUN_FIX = "gap, length, gap, length ... are expected; download the file again"


@dataclass(frozen=True)
class RleMask:
    """The union of run-length masks as in SIIM-ACR; without any, the image is negative.

    A string alternates gaps and lengths. Each gap counts from the end of the previous run (relative offsets),
    and pixels are counted down each column, one column after another.

    Attributes:
        runs: one string per annotated region.
        of: file and image to which it belongs, for messages; not part of comparisons and hashes.
    """

    runs: tuple[str, ...] = ()
    of: str = field(default="", repr=False, compare=False)

    def decode(self, height: int, width: int) -> np.ndarray:
        """Draw the union of all regions, uint8 [height, width].

        Raises:
            BenchError: a string has an odd count, is not made of integers, or has a run beyond the image.
        """
        if not self.runs:
            return np.zeros((height, width), np.uint8)
        flat = np.zeros(height * width, np.uint8)
        for text in self.runs:
            starts, ends = run_bounds(text, height * width, self.of or text[:40])
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
                flat[start:end] = 1
        return np.ascontiguousarray(flat.reshape(width, height).T)


def run_bounds(text: str, pixels: int | None, where: object) -> tuple[np.ndarray, np.ndarray]:
    """Return the first pixel of each run and the pixel after its last one, two int64 arrays.

    Args:
        text: "gap length gap length ...".
        pixels: number of pixels of the image, or None if its size is unknown.
        where: file and image, for messages.

    Raises:
        BenchError: a string has an odd count, is not made of integers, or has a run beyond the image.
    """
    try:
        numbers = np.array(text.split(), dtype=np.int64)
    except ValueError:
        raise BenchError(
            f"run-length mask '{text[:40]}' contains something other than integers",
            where=where,
            fix=RUN_FIX,
        ) from None
    if numbers.size % 2:
        raise BenchError(
            f"run-length mask has an odd count of numbers ({numbers.size})", where=where, fix=RUN_FIX
        )
    if (numbers < 0).any():
        raise BenchError(
            f"run-length mask holds a negative number ({numbers.min()})", where=where, fix=RUN_FIX
        )
    steps = np.cumsum(numbers)
    if pixels is not None and numbers.size and steps[-1] > pixels:
        raise BenchError(
            f"run-length mask reaches {steps[-1]}, outside the image's {pixels} pixels",
            where=where,
            fix="the mask belongs to another image, another image size, or uses absolute offsets",
        )
    return steps[0::2], steps[1::2]


@dataclass(frozen=True, eq=False)
class BoxMask:
    """Filled boxes, which define "segmentation" on RSNA Pneumonia (it has no pixel masks).

    Attributes:
        boxes: [n, 4 or more]: x1, y1, x2, y2 in pixels of the stored image.
    """

    boxes: np.ndarray

    def decode(self, height: int, width: int) -> np.ndarray:
        """Draw 1 inside any box, uint8 [height, width]; boxes are cut at the edges of the image."""
        mask = np.zeros((height, width), np.uint8)
        for x1, y1, x2, y2 in np.rint(np.asarray(self.boxes)[:, :4]).astype(int):
            mask[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = 1
        return mask


@dataclass(frozen=True)
class ShapeMask:
    """The union of filled outlines, including their edges, as in Object-CXR.

    Attributes:
        shapes: pairs of (kind, coordinates in pixels of the stored image): ``"rectangle"`` and ``"ellipse"``
            with (x1, y1, x2, y2) of the enclosing box, ``"polygon"`` with (x1, y1, x2, y2, ..., xn, yn).
    """

    shapes: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def decode(self, height: int, width: int) -> np.ndarray:
        """Draw 1 inside any shape, uint8 [height, width]; shapes are cut at the edges of the image."""
        from PIL import Image, ImageDraw

        image = Image.new("L", (width, height))
        canvas = ImageDraw.Draw(image)
        for kind, numbers in self.shapes:
            getattr(canvas, kind)(numbers, fill=1)
        return np.array(image)


@dataclass(frozen=True)
class FileMask:
    """A mask stored as an image of the radiograph's size; values above 0 are foreground.

    Attributes:
        path: mask file, relative to ``root``.
        root: folder of ``path``; not part of comparisons and hashes, so that moving the data changes nothing.
    """

    path: str | Path
    root: Path = field(default=Path("."), repr=False, compare=False)

    def decode(self, height: int, width: int) -> np.ndarray:
        """Read the stored mask, uint8 [height, width].

        Raises:
            BenchError: the file is missing or unreadable, or its size differs from the image's.
        """
        from prior_bench.data.images.read import read_image

        file = Path(self.root) / self.path
        mask = read_image(file)
        if mask.shape != (height, width):
            raise BenchError(
                f"mask is {mask.shape[1]}x{mask.shape[0]} pixels, its image {width}x{height}",
                where=file,
                fix="give the mask at the size of the image as stored",
            )
        return (mask > 0).astype(np.uint8)
