"""How a row looks in every figure: colour, line and marker, for any colour vision and in print."""

from __future__ import annotations

import html
from collections.abc import Sequence

PALETTE = ("#1b84c7", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6fd1", "#7f7f7f")
"""After Okabe and Ito: told apart with any colour vision, on light and dark ground."""

MARKERS = "osD^vPX*p"
"""Matplotlib's; one more than there are colours, so that the pairs repeat late."""

DASHES = ("", "7 3", "2 2.5", "9 3 2 3", "12 4", "5 2 1 2 1 2", "1 4")
"""SVG ``stroke-dasharray``; empty is a full line."""


def colours_of(names: Sequence[str]) -> dict[str, str]:
    """One colour per row, the same in every figure; the order also decides line and marker."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def marker_of(name: str, colours: dict[str, str]) -> str:
    """The matplotlib marker of a row."""
    return MARKERS[list(colours).index(name) % len(MARKERS)]


def dash_of(name: str, colours: dict[str, str]) -> str:
    """The SVG dash pattern of a row's lines."""
    return DASHES[list(colours).index(name) % len(DASHES)]


def line_style(name: str, colours: dict[str, str]) -> str | tuple[float, list[float]]:
    """The same pattern for matplotlib, whose lengths are in line widths."""
    dash = dash_of(name, colours)
    return (0, [float(length) for length in dash.split()]) if dash else "-"


def swatch(name: str, colours: dict[str, str]) -> str:
    """A short piece of a row's line, for legends; the name must stand beside it."""
    dash = html.escape(dash_of(name, colours))
    return (
        '<svg class="swatch" viewBox="0 0 28 8" aria-hidden="true"><line x1="0" y1="4" x2="28" y2="4" '
        f'stroke="{colours[name]}" stroke-width="3" stroke-dasharray="{dash or "none"}"/></svg>'
    )
