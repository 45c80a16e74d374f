"""Small pictures of radiographs, with outlines and boxes as vector graphics."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 320
"""Longest side of an embedded picture, in pixels."""


@dataclass
class Mark:
    """An outline or box over a picture, in pixels of the picture.

    Attributes:
        kind: ``"true"`` or ``"predicted"``; determines colour and line style.
        path: SVG path data.
        text: label at the position ``at``.
        at: (x, y) of the label.
    """

    kind: str
    path: str
    text: str = ""
    at: tuple[float, float] = (0.0, 0.0)


@dataclass
class Picture:
    """An image to embed, with its data URI, size in pixels, alternative text, and marks."""

    uri: str
    width: int
    height: int
    alt: str
    marks: list[Mark] = field(default_factory=list)

    def with_marks(self, marks: list[Mark], alt: str) -> Picture:
        """Return a copy with other marks and alternative text."""
        return Picture(self.uri, self.width, self.height, alt, marks)


@dataclass(frozen=True)
class Original:
    """A decoded radiograph, uint8 [H, W]."""

    pixels: np.ndarray

    @classmethod
    def read(cls, path: Path) -> Original:
        """Read a file; raise BenchError if it is missing or damaged."""
        from prior_bench.data.images.read import read_image

        return cls(read_image(path))

    def picture(self, alt: str) -> tuple[Picture, float]:
        """Return the whole image, scaled down, and the scale (picture pixels per stored pixel)."""
        from PIL import Image

        height, width = self.pixels.shape
        scale = min(1.0, SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        return _encode(Image.fromarray(self.pixels).resize(size, Image.Resampling.LANCZOS), alt), scale

    def as_input(self, size: int, mode: str, alt: str) -> Picture:
        """Return the image as a network with this input sees it: squashed, padded or cropped to a square."""
        return jpeg(self.square(size, mode), size, alt)

    def square(self, size: int, mode: str) -> np.ndarray:
        """Return the square input as uint8 [size, size]."""
        from PIL import Image

        height, width = self.pixels.shape
        if mode == "squash":
            scaled = size, size
        else:
            scale = size / (min if mode == "crop" else max)(height, width)
            scaled = max(1, round(width * scale)), max(1, round(height * scale))
        square = Image.new("L", (size, size))
        offset = (size - scaled[0]) // 2, (size - scaled[1]) // 2
        square.paste(Image.fromarray(self.pixels).resize(scaled, Image.Resampling.BILINEAR), offset)
        return np.asarray(square)


def outline(mask: np.ndarray) -> str:
    """Return the SVG path around the foreground of a mask [H, W] of 0 and 1, in pixels; "" if it is empty."""
    from contourpy import contour_generator

    padded = np.pad(np.asarray(mask, float), 1)
    lines = contour_generator(z=padded).lines(0.5)
    # pixel centres are at half pixels, and padding has shifted everything by one
    parts = [
        "M" + "L".join(f"{x - 0.5:.1f} {y - 0.5:.1f}" for x, y in np.asarray(line)) + "Z" for line in lines
    ]
    return "".join(parts)


def rectangle(box: np.ndarray, scale: float) -> str:
    """Return the SVG path of a box (x1, y1, x2, y2) in stored pixels, multiplied by ``scale``."""
    x1, y1, x2, y2 = (float(value) * scale for value in box[:4])
    return f"M{x1:.1f} {y1:.1f}H{x2:.1f}V{y2:.1f}H{x1:.1f}Z"


def jpeg(pixels: np.ndarray, side: int, alt: str) -> Picture:
    """Embed a square image, uint8 [S, S] or [S, S, 3], scaled to ``side``, as JPEG (small)."""
    return _encode(_scaled(pixels, side), alt)


def png(pixels: np.ndarray, side: int, alt: str) -> Picture:
    """Embed a square image, uint8 [S, S] or [S, S, 3], scaled to ``side``, as PNG (exact)."""
    return _encode(_scaled(pixels, side), alt, "PNG")


def _scaled(pixels: np.ndarray, side: int) -> Image:
    from PIL import Image as images

    image = images.fromarray(np.ascontiguousarray(pixels))
    return image if image.width == side else image.resize((side, side), images.Resampling.BICUBIC)


def _encode(image: Image, alt: str, kind: str = "JPEG") -> Picture:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, optimize=True, **({"quality": 82} if kind == "JPEG" else {}))
    uri = f"data:image/{kind.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"
    return Picture(uri, image.width, image.height, alt)
