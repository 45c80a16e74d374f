"""Attention over a radiograph: the map is scaled to the image and drawn over it."""

from __future__ import annotations

import numpy as np

COLOURS = "inferno"
"""Colour map of matplotlib. Lightness alone gives the order, for any colour vision."""

STRENGTH = 0.65
"""Opacity of the highest value; the lowest is transparent."""


def overlay(pixels: np.ndarray, grid: np.ndarray, side: int) -> np.ndarray:
    """A square radiograph under a map of attention, uint8 [side, side, 3].

    The colours run from the map's lowest to its highest value; a map of one value shows nothing.

    Args:
        pixels: uint8 [S, S].
        grid: [G, G] over the same square.
        side: of the picture, in pixels.
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
    """The lowest and the highest value of a map, as text."""
    low, high = float(np.min(grid)), float(np.max(grid))
    digits = 3 if high >= 0.1 else 4
    return f"{low:.{digits}f} to {high:.{digits}f}"
