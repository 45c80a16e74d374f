"""Mask annotations, kept as the data set stores them and decoded only when needed.

Each class has ``decode(height, width)``, which returns a mask of 0 and 1, uint8 [height, width], at the size
of the stored image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.data.annotations.outlines import check_outlines, require_drawable
from prior_bench.data.images.remarks import ImageRemark
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
    numbers = np.minimum(numbers, 1 << 31)  # more than any image has; a sum of larger ones could overflow
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

        require_drawable(self.shapes)
        image = Image.new("L", (width, height))
        canvas = ImageDraw.Draw(image)
        for kind, numbers in self.shapes:
            getattr(canvas, kind)(numbers, fill=1)
        return np.array(image)


@dataclass(frozen=True)
class SwappedShapeMask:
    """The union of outlines as LoVT's code fills them: x and y of polygons are exchanged, ellipses are boxes.

    Attributes:
        shapes: as in :class:`ShapeMask`.
    """

    shapes: tuple[tuple[str, tuple[float, ...]], ...] = ()

    def decode(self, height: int, width: int) -> np.ndarray:
        """Draw 1 inside any shape, uint8 [height, width]; shapes are cut at the edges of the image."""
        import cv2

        require_drawable(self.shapes)
        mask = np.zeros((height, width), np.uint8)
        for kind, numbers in self.shapes:
            if kind == "polygon":
                points = np.array(numbers).reshape(-1, 2)[:, ::-1]
                cv2.fillPoly(mask, [np.ascontiguousarray(points, dtype=np.int32)], (1,))
            else:
                x1, y1, x2, y2 = (max(round(number), 0) for number in numbers)
                mask[y1:y2, x1:x2] = 1
        return mask


@dataclass(frozen=True)
class FileMask:
    """A mask stored as an image of the radiograph's size; values above 0 are foreground (docs/images.md).

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
        return self.decode_with_remarks(height, width)[0]

    def decode_with_remarks(self, height: int, width: int) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
        """Read the stored mask as :meth:`decode` does, and say what was guessed.

        Raises:
            BenchError: as :meth:`decode`.
        """
        from prior_bench.data.images.decode import decode_mask

        file = Path(self.root) / self.path
        mask, remarks = decode_mask(file)
        if mask.shape != (height, width):
            raise BenchError(
                f"mask is {mask.shape[1]}x{mask.shape[0]} pixels, its image {width}x{height}",
                where=file,
                fix="give the mask at the size of the image as stored",
            )
        return mask, remarks


@dataclass(frozen=True)
class UnionMask:
    """Several masks united.

    Attributes:
        masks: annotations with ``decode(height, width)``.
    """

    masks: tuple[Any, ...]

    def decode(self, height: int, width: int) -> np.ndarray:
        """1 inside any of them; raises what they raise."""
        united = np.zeros((height, width), np.uint8)
        for mask in self.masks:
            united |= mask.decode(height, width)
        return united


@dataclass(frozen=True)
class CocoMask:
    """A segmentation in one of COCO's three forms, as MS-CXR's file layout allows them.

    Attributes:
        segmentation: polygons ((x1, y1, x2, y2, ...), ...), or the runs of an uncompressed run-length code
            (counts down the columns, background first), or the text of a compressed one.
        size: (height, width) that a run-length code states; None for polygons.
        of: file and image that it belongs to, for messages; kept out of comparisons and hashes.
    """

    segmentation: tuple[Any, ...] | str
    size: tuple[int, int] | None = None
    of: str = field(default="", repr=False, compare=False)

    @classmethod
    def of_json(cls, segmentation: Any, size: Any = None, of: str = "") -> CocoMask:
        """The annotation of what a COCO file holds: polygons, or ``{"size": [h, w], "counts": ...}``."""
        if isinstance(segmentation, dict):
            segmentation, size = segmentation.get("counts"), segmentation.get("size")
        if isinstance(segmentation, str):
            kept: tuple[Any, ...] | str = segmentation
        else:
            kept = tuple(tuple(one) if isinstance(one, (list, tuple)) else one for one in segmentation or ())
        return cls(kept, (int(size[0]), int(size[1])) if size else None, of)

    def decode(self, height: int, width: int) -> np.ndarray:
        """The region.

        Raises:
            BenchError: a run-length code of another size, or nothing that COCO's tools can read.
        """
        if self.size is not None and self.size != (height, width):
            what = f"mask is {self.size[1]}x{self.size[0]} pixels, its image {width}x{height}"
            raise BenchError(what, where=self.of, fix="use the images that were annotated, not resized ones")
        try:
            if self.size is None:
                return _filled_polygons(self.segmentation, height, width)
            if isinstance(self.segmentation, str):
                return _compressed_runs(self.segmentation, height, width)
            return _alternating_runs(self.segmentation, height, width)
        except (TypeError, ValueError, IndexError, OverflowError) as error:
            what = f"segmentation cannot be read ({error})"
            raise BenchError(what, where=self.of, fix="download the file again") from error


def decode_with_remarks(mask: Any, height: int, width: int) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Decode a mask of any kind, uint8 [height, width], and say what was guessed; only files need guesses.

    Raises:
        BenchError: as the mask's ``decode``.
    """
    if hasattr(mask, "decode_with_remarks"):
        return mask.decode_with_remarks(height, width)
    return mask.decode(height, width), ()


def _filled_polygons(polygons: Any, height: int, width: int) -> np.ndarray:
    from pycocotools import mask as coco

    if not polygons or any(len(polygon) < 6 or len(polygon) % 2 for polygon in polygons):
        raise ValueError("a polygon needs three points or more")
    check_outlines(polygons)
    return np.ascontiguousarray(
        coco.decode(coco.merge(coco.frPyObjects([list(p) for p in polygons], height, width)))
    )


def _compressed_runs(counts: str, height: int, width: int) -> np.ndarray:
    from pycocotools import mask as coco

    code = {"size": [height, width], "counts": counts}
    mask = np.ascontiguousarray(coco.decode(code))
    # COCO's tools leave what a truncated code does not reach uninitialised
    if mask.max(initial=0) > 1 or int(mask.sum()) != int(coco.area(code)):
        raise ValueError("the run-length code is cut off")
    return mask


def _alternating_runs(counts: Any, height: int, width: int) -> np.ndarray:
    runs = np.array(counts, dtype=np.int64)
    if (runs < 0).any() or (runs > height * width).any() or runs.sum() != height * width:
        raise ValueError(f"the runs cover {runs.sum()} of {height * width} pixels")
    flat = np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8)
    return np.ascontiguousarray(flat.reshape(width, height).T)
