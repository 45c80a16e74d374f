"""The look of a row in every figure: colour, line and marker, for any colour vision and in print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prior_bench.report.html.figures.svg import new_axes, page_style, sign_svg

PALETTE = ("#1b84c7", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6fd1", "#7f7f7f")
"""Colours after Okabe and Ito: distinct for any colour vision, on light and dark backgrounds."""

MARKERS = "osD^vPX*p"
"""Markers by matplotlib's names. There is one more than there are colours, so that pairs recur late."""

DASHES = ((), (5, 2), (1.5, 1.5), (6, 2, 1.5, 2), (9, 3), (4, 1, 1.5, 1, 1.5, 1), (1, 3))
"""Lengths of dashes and gaps in line widths; empty for a solid line."""

MARKER_SIZE = 5.0
"""Diameter of a marker in points."""


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """Return one colour per row, the same in every figure; the order also determines line and marker."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def line_of(name: str, colours: dict[str, str]) -> dict[str, Any]:
    """Return colour and dashes of a row as arguments for matplotlib."""
    dashes = DASHES[list(colours).index(name) % len(DASHES)]
    return {"color": colours[name], "linestyle": (0, dashes) if dashes else "-"}


def marker_of(name: str, colours: dict[str, str]) -> dict[str, Any]:
    """Return the marker of a row as arguments for matplotlib."""
    return {"marker": MARKERS[list(colours).index(name) % len(MARKERS)], "markersize": MARKER_SIZE}


def swatch(name: str, colours: dict[str, str]) -> str:
    """Draw a short piece of a row's line with its marker, for legends; its name must be next to it."""
    with page_style():
        figure, axes = new_axes((36 / 72, 10 / 72), (0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(0, 36), ylim=(0, 10))
        axes.plot([0, 36], [5, 5], linewidth=2, **line_of(name, colours))
        axes.plot([18], [5], color=colours[name], **marker_of(name, colours))
        return sign_svg(figure, "swatch")
