"""Mask annotations, kept as the data set stores them and drawn only when needed.

Each has ``decode(height, width) -> uint8 [height, width]`` of 0 and 1 at the size of the stored image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from prior_bench.errors import BenchError

RUN_FIX = "gap, length, gap, length ... are expected; download the file again"


@dataclass(frozen=True)
class RleMask:
    """Run-length masks as in SIIM-ACR, united; none at all means that the image is negative.

    A string alternates "gap, length": each gap counts from the end of the run before (relative offsets),
    and pixels are counted down the columns, column after column.

    Attributes:
        runs: one string per annotated region.
        of: file and image that it belongs to, for messages; kept out of comparisons and hashes.
    """

    runs: tuple[str, ...] = ()
    of: str = field(default="", repr=False, compare=False)

    def decode(self, height: int, width: int) -> np.ndarray:
        """The union of all regions.

        Raises:
            BenchError: odd count, no numbers, or a run that leaves the image.
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
    """First pixel of each run, and the one after its last.

    Args:
        text: "gap length gap length ...".
        pixels: of the image, or None where its size is not known.
        where: for messages.

    Raises:
        BenchError: odd count, no numbers, or a run that leaves the image.
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
    """Boxes filled in, as RSNA Pneumonia "segmentation" is defined (it has no pixel masks).

    Attributes:
        boxes: [n, 4 or more]: x1, y1, x2, y2 in pixels of the stored image.
    """

    boxes: np.ndarray

    def decode(self, height: int, width: int) -> np.ndarray:
        """1 inside any box; what is outside the image is cut off."""
        mask = np.zeros((height, width), np.uint8)
        for x1, y1, x2, y2 in np.rint(np.asarray(self.boxes)[:, :4]).astype(int):
            mask[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)] = 1
        return mask


@dataclass(frozen=True)
class ShapeMask:
    """Outlines filled in, their edges included, united, as in Object-CXR.

    Attributes:
        shapes: (kind, coordinates) each, in pixels of the stored image: ``"rectangle"`` and ``"ellipse"``
            with (x1, y1, x2, y2) of the enclosing box, ``"polygon"`` with (x1, y1, x2, y2, ..., xn, yn).
    """

    shapes: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def decode(self, height: int, width: int) -> np.ndarray:
        """1 inside any shape; what is outside the image is cut off."""
        from PIL import Image, ImageDraw

        image = Image.new("L", (width, height))
        canvas = ImageDraw.Draw(image)
        for kind, numbers in self.shapes:
            getattr(canvas, kind)(numbers, fill=1)
        return np.array(image)


@dataclass(frozen=True)
class FileMask:
    """A mask stored as an image of the radiograph's size; any value above 0 counts.

    Attributes:
        path: the file, relative to ``root``.
        root: kept out of comparisons and hashes, so that moving the data changes nothing.
    """

    path: str | Path
    root: Path = field(default=Path("."), repr=False, compare=False)

    def decode(self, height: int, width: int) -> np.ndarray:
        """The stored mask.

        Raises:
            BenchError: missing or unreadable, or not of the image's size.
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
