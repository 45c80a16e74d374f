"""Draw a map of attention over a radiograph."""

from __future__ import annotations

import numpy as np

COLOURS = "inferno"
"""Colour map of matplotlib; its lightness is monotone, so that it is readable with any colour vision."""

STRENGTH = 0.65
"""Opacity of the highest value; the lowest is transparent."""


def overlay(pixels: np.ndarray, grid: np.ndarray, side: int) -> np.ndarray:
    """Draw a map of attention over a square radiograph; return uint8 [side, side, 3].

    Colours range from the map's lowest to its highest value; a constant map is invisible.

    Args:
        pixels: uint8 [S, S].
        grid: [G, G], map over the same square.
        side: side of the picture, in pixels.
    """
    from matplotlib import colormaps
    from PIL import Image

    def enlarged(values: np.ndarray) -> np.ndarray:
        image = Image.fromarray(np.ascontiguousarray(values))
        return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC), np.float32)

    grid = np.asarray(grid, np.float32)
    share = enlarged((grid - grid.min()) / max(float(np.ptp(grid)), 1e-12)).clip(0, 1)
    opacity = STRENGTH * share[..., None]
    colour = 255 * colormaps[COLOURS](0.25 + 0.75 * share)[..., :3]
    mixed = (1 - opacity) * enlarged(pixels)[..., None] + opacity * colour
    return mixed.round().clip(0, 255).astype(np.uint8)


def spanned(grid: np.ndarray) -> str:
    """Format the lowest and the highest value of a map as text."""
    low, high = float(np.min(grid)), float(np.max(grid))
    digits = 3 if high >= 0.1 else 4
    return f"{low:.{digits}f} to {high:.{digits}f}"
