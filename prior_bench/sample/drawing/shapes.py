"""Soft-edged shapes, smooth noise and brush strokes: what phantom and findings are drawn with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter

OVERSAMPLING = 2
"""Strokes are drawn at this many times the image's resolution and averaged down."""


def edge(distance: np.ndarray, width: float) -> np.ndarray:
    """0 outside to 1 inside over ``width``, from a signed distance that is positive inside."""
    t = distance * (1.0 / width)
    t += 0.5
    np.clip(t, 0.0, 1.0, out=t)
    return t * t * (3.0 - 2.0 * t)


def ellipse(
    x: np.ndarray, y: np.ndarray, centre: Sequence[float] | np.ndarray, radii: tuple, angle: float = 0.0
) -> np.ndarray:
    """Elliptical radius: 0 at the centre, 1 on the ellipse. ``angle`` in radians turns it."""
    dx, dy = x - centre[0], y - centre[1]
    if angle:
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = cos * dx + sin * dy, cos * dy - sin * dx
    return np.sqrt((dx / radii[0]) ** 2 + (dy / radii[1]) ** 2)


def falloff(radius: np.ndarray) -> np.ndarray:
    """A bell of an elliptical radius: 1 at the centre, 0 from radius 1 on, smooth in between."""
    t = np.clip(1.0 - radius**2, 0.0, 1.0)
    return t * t


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Cloudy noise [size, size] of about ``cells`` blobs across, zero mean, unit variance."""
    coarse = Image.fromarray(rng.standard_normal((cells + 1, cells + 1), dtype=np.float32))
    noise = np.asarray(coarse.resize((size, size), Image.Resampling.BICUBIC))
    return (noise - noise.mean()) / (noise.std() + 1e-6)


class Strokes:
    """Polylines of varying width and strength, drawn in image pixels and then read as an array.

    Where strokes cross, the later one is kept.

    Args:
        size: side of the image.
    """

    def __init__(self, size: int):
        self.size = size
        self.canvas = Image.new("L", (size * OVERSAMPLING,) * 2)
        self.brush = ImageDraw.Draw(self.canvas)

    def line(self, points: np.ndarray, width: float, strength: float = 1.0) -> None:
        """A polyline through ``points`` [n, 2] (x, y in image pixels), ``width`` pixels wide."""
        path = [tuple(p) for p in (np.asarray(points) * OVERSAMPLING).tolist()]
        wide = max(1, round(width * OVERSAMPLING))
        self.brush.line(path, fill=int(255 * strength), width=wide, joint="curve" if wide > 3 else None)

    def lines(self, paths: np.ndarray, width: float, strength: float = 1.0) -> None:
        """Thin polylines ``paths`` [lines, points, 2], all of one width and strength."""
        wide, fill = max(1, round(width * OVERSAMPLING)), int(255 * strength)
        for path in (paths * OVERSAMPLING).reshape(len(paths), -1).tolist():
            self.brush.line(path, fill=fill, width=wide)

    def disc(self, centre: np.ndarray, radius: float, strength: float = 1.0, ring: float = 0.0) -> None:
        """A disc of ``radius`` pixels, or a ring ``ring`` pixels wide."""
        x, y = (np.asarray(centre) * OVERSAMPLING).tolist()
        r = radius * OVERSAMPLING
        fill = int(255 * strength)
        kind = {"outline": fill, "width": max(1, round(ring * OVERSAMPLING))} if ring else {"fill": fill}
        self.brush.ellipse((x - r, y - r, x + r, y + r), **kind)

    def polygon(self, points: np.ndarray, strength: float = 1.0) -> None:
        """A filled polygon with corners ``points`` [n, 2] in image pixels."""
        path = [tuple(p) for p in (np.asarray(points) * OVERSAMPLING).tolist()]
        self.brush.polygon(path, fill=int(255 * strength))

    def array(self, blur: float = 0.0) -> np.ndarray:
        """float32 [size, size] in [0, 1]."""
        drawn = np.asarray(self.canvas.reduce(OVERSAMPLING), dtype=np.float32) / 255.0
        return gaussian_filter(drawn, blur, truncate=3.0) if blur else drawn
