"""Draw a small square map of points without axes, coloured and shaped by class, and its legend's signs."""

from __future__ import annotations

from functools import cache

import numpy as np

from prior_bench.report.html.figures.svg import INK, new_axes, page_style, sign_svg, to_svg

SIDE, MARGIN = 170, 7
"""Side of the square and its free margin, in points."""

MARKERS = "os^DP"
"""matplotlib's names of the markers of the classes."""

MARKER_SIZE = 4.0
"""Diameter of a marker in points."""

Look = tuple[str, str]
"""A colour and one of :data:`MARKERS`."""


def scatter_panel(
    points: np.ndarray, classes: np.ndarray, looks: list[Look], *, title: str, description: str
) -> str:
    """Draw the map as ``<svg>``.

    Args:
        points: [N, 2]; the map shows both directions on one scale.
        classes: int [N], indices of ``looks``.
        looks: look of each class.
        title: short description for screen readers.
        description: the values in words, for screen readers.
    """
    centred = points - (points.min(0) + points.max(0)) / 2
    reach = np.abs(centred).max() or 1.0
    limits = np.array([-1, 1]) * reach * SIDE / (SIDE - 2 * MARGIN)
    with page_style():
        figure, axes = new_axes((SIDE / 72, SIDE / 72), (0, 0, 1, 1))
        axes.set(xlim=limits, ylim=limits, xticks=[], yticks=[])
        axes.spines[:].set(visible=True, color=INK, alpha=0.3)
        for position, look in enumerate(looks):
            x, y = centred[classes == position].T
            if len(x):
                axes.plot(x, y, linestyle="", **_marker(look))
        return to_svg(figure, title, description)


@cache
def sign(look: Look) -> str:
    """Draw the marker of a class, for legends; its name must be next to it."""
    with page_style():
        figure, axes = new_axes((10 / 72, 10 / 72), (0, 0, 1, 1))
        axes.set_axis_off()
        axes.plot([0], [0], **{**_marker(look), "markersize": 8})
        return sign_svg(figure, "sign")


def _marker(look: Look) -> dict:
    colour, marker = look
    return {"color": colour, "marker": marker, "markersize": MARKER_SIZE, "alpha": 0.8, "markeredgewidth": 0}
