"""A small square map of points without axes, coloured and shaped by class, and the signs for its legend."""

from __future__ import annotations

import html

import numpy as np

SIDE, MARGIN = 240, 10
"""Of the square in the SVG's units, and what points keep from its edge."""

Style = tuple[str, str]
"""Colour, and one of :data:`SHAPES`."""

SHAPES = {
    "dot": "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
    "square": "m-2.6-2.6h5.2v5.2h-5.2z",
    "triangle": "m-3.4 2.6l3.4-6 3.4 6z",
    "diamond": "m-3.6 0l3.6-3.6 3.6 3.6-3.6 3.6z",
    "cross": "m-3.4-1.2h2.2v-2.2h2.4v2.2h2.2v2.4h-2.2v2.2h-2.4v-2.2h-2.2z",
}
"""SVG path of each shape, relative to its middle."""


def scatter_panel(
    points: np.ndarray, classes: np.ndarray, styles: list[Style], *, title: str, text: str
) -> str:
    """The map as ``<svg>``.

    Args:
        points: [N, 2]; the map shows them in a common scale for both directions.
        classes: int [N], positions in ``styles``.
        title: what is shown, for those who cannot see it.
        text: the same in numbers.
    """
    centred = points - (points.min(0) + points.max(0)) / 2
    reach = np.abs(centred).max() or 1.0
    placed = np.round(SIDE / 2 + centred / reach * (SIDE / 2 - MARGIN)).astype(int)
    parts = [
        f'<svg class="panel" role="img" viewBox="0 0 {SIDE} {SIDE}">',
        f"<title>{html.escape(title)}</title><desc>{html.escape(text)}</desc>",
        f'<rect x=".5" y=".5" width="{SIDE - 1}" height="{SIDE - 1}" fill="none" stroke="currentColor" '
        'stroke-opacity=".25"/>',
    ]
    for position, style in enumerate(styles):
        if (classes == position).any():
            parts.append(_marks(placed[classes == position], style))
    return "".join([*parts, "</svg>"])


def sign(style: Style) -> str:
    """A class's mark, for legends; the name must stand beside it."""
    return (
        f'<svg class="sign" viewBox="0 0 10 10" aria-hidden="true">{_marks(np.array([[5, 5]]), style)}</svg>'
    )


def _marks(places: np.ndarray, style: Style) -> str:
    colour, shape = style
    path = "".join(f"M{x} {y}{SHAPES[shape]}" for x, y in places)
    return f'<path d="{path}" fill="{colour}" fill-opacity=".8"/>'
