"""Soft-edged shapes, smooth noise and strokes, with which phantom and findings are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

OVERSAMPLING = 2
"""Strokes are drawn at this multiple of the image's resolution and then averaged."""


def edge(distance: np.ndarray, width: float) -> np.ndarray:
    """Return values from 0 outside to 1 inside, for a signed distance that is positive inside.

    The transition is ``width`` wide and centred on distance 0.
    """
    t = distance * (1.0 / width)
    t += 0.5
    np.clip(t, 0.0, 1.0, out=t)
    return t * t * (3.0 - 2.0 * t)


def ellipse(
    x: np.ndarray, y: np.ndarray, centre: Sequence[float] | np.ndarray, radii: tuple, angle: float = 0.0
) -> np.ndarray:
    """Return the radius relative to an ellipse rotated by ``angle`` radians: 0 at its centre, 1 on it."""
    dx, dy = x - centre[0], y - centre[1]
    if angle:
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = cos * dx + sin * dy, cos * dy - sin * dx
    return np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2)


def falloff(radius: np.ndarray) -> np.ndarray:
    """Return a smooth function of an elliptical radius: 1 at the centre, 0 from radius 1 outwards."""
    t = np.clip(1.0 - radius**2, 0.0, 1.0)
    return t * t


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Return smooth noise [size, size] with ``cells`` cells per side, zero mean and unit variance."""
    coarse = Image.fromarray(rng.standard_normal((cells + 1, cells + 1), dtype=np.float32))
    noise = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    return (noise - noise.mean()) / (noise.std() + 1e-6)


class Strokes:
    """Strokes of varying width and strength, drawn in image pixels and then read as an array.

    Where strokes cross, the later one covers the earlier one.

    Args:
        size: side of the image.
    """

    def __init__(self, size: int):
        self.size = size
        self.canvas = Image.new("L", (size * OVERSAMPLING,) * 2)
        self.brush = ImageDraw.Draw(self.canvas)

    def line(self, points: np.ndarray, width: float, strength: float = 1.0) -> None:
        """Draw a polyline through ``points`` [n, 2] (x, y in image pixels), ``width`` pixels wide."""
        path = [tuple(p) for p in (np.asarray(points) * OVERSAMPLING).tolist()]
        wide = max(1, round(width * OVERSAMPLING))
        self.brush.line(path, fill=int(255 * strength), width=wide, joint="curve" if wide > 3 else None)

    def lines(self, paths: np.ndarray, width: float, strength: float = 1.0) -> None:
        """Draw thin polylines ``paths`` [lines, points, 2] of the same width and strength."""
        wide, fill = max(1, round(width * OVERSAMPLING)), int(255 * strength)
        for path in (paths * OVERSAMPLING).reshape(len(paths), -1).tolist():
            self.brush.line(path, fill=fill, width=wide)

    def disc(self, centre: np.ndarray, radius: float, strength: float = 1.0, ring: float = 0.0) -> None:
        """Draw a disc of ``radius`` pixels, or a ring that is ``ring`` pixels wide."""
        x, y = (np.asarray(centre) * OVERSAMPLING).tolist()
        r = radius * OVERSAMPLING
        fill = int(255 * strength)
        kind = {"outline": fill, "width": max(1, round(ring * OVERSAMPLING))} if ring else {"fill": fill}
        self.brush.ellipse((x - r, y - r, x + r, y + r), **kind)

    def polygon(self, points: np.ndarray, strength: float = 1.0) -> None:
        """Draw a filled polygon with corners ``points`` [n, 2] in image pixels."""
        path = [tuple(p) for p in (np.asarray(points) * OVERSAMPLING).tolist()]
        self.brush.polygon(path, fill=int(255 * strength))

    def array(self, blur: float = 0.0) -> np.ndarray:
        """Return the drawing, float32 [size, size] in [0, 1], after a Gaussian blur of ``blur`` pixels."""
        drawn = np.asarray(self.canvas.reduce(OVERSAMPLING), dtype=np.float32) / 255.0
        return gaussian_filter(drawn, blur, truncate=3.0) if blur else drawn
