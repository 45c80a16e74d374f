"""Boxes given as corner, width and height, as in RSNA Pneumonia and ChestX-ray14."""

from __future__ import annotations

import numpy as np
import pandas as pd


def read_sides(columns: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return x, y, width and height of each row, float32 [n, 4], and which rows are valid boxes, bool [n].

    A box is valid if all four numbers are finite and its width and height are positive.
    """
    sides = columns.apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
    return sides, (sides[:, 2:] > 0).all(axis=1) & np.isfinite(sides).all(axis=1)


def boxes_of_sides(sides: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Convert sides [n, 4] and classes [n] to boxes of a manifest, float32 [n, 5] (x1, y1, x2, y2, class)."""
    corners = [sides[:, :2], sides[:, :2] + sides[:, 2:], classes[:, None]]
    return np.concatenate(corners, axis=1).astype(np.float32)
