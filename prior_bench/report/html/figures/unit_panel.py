"""A small square plot, both axes from 0 to 1: the panel of ROC, precision-recall and reliability figures.

Drawn by hand and not by matplotlib because a page has dozens: a few hundred bytes each, and no time to make.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, field

from prior_bench.report.html.figures.row_style import dash_of

SIDE, LEFT, TOP = 200, 46, 10
"""Of the square, and where it lies, in the SVG's units."""

WIDTH, HEIGHT = 262, 254
"""Of the whole panel."""

Point = tuple[float, float]


@dataclass
class Curve:
    """A line of a row, in [0, 1].

    Attributes:
        name: of the row.
        points: (x, y) in order.
        dots: (x, y, share): a dot whose area is a share of the whole.
    """

    name: str
    points: Sequence[Point]
    dots: Sequence[tuple[float, float, float]] = field(default_factory=list)


def unit_panel(
    curves: list[Curve],
    *,
    title: str,
    text: str,
    x_label: str,
    y_label: str,
    colours: dict[str, str],
    diagonal: bool = False,
    level: float | None = None,
) -> str:
    """The panel as ``<svg>``.

    Args:
        curves: several of one row have the same look.
        title: what is shown, for those who cannot see it.
        text: the same in numbers.
        diagonal: with the line x = y.
        level: height of a horizontal line of reference.
    """
    parts = [
        f'<svg class="panel" role="img" viewBox="0 0 {WIDTH} {HEIGHT}" font-size="15" fill="currentColor">',
        f"<title>{html.escape(title)}</title><desc>{html.escape(text)}</desc>",
        _grid(),
    ]
    reference = 'stroke="currentColor" stroke-opacity=".55" stroke-dasharray="4 4"'
    if diagonal:
        parts.append(f'<path d="{_path([(0, 0), (1, 1)])}" {reference}/>')
    if level is not None:
        parts.append(f'<path d="{_path([(0, level), (1, level)])}" {reference}/>')
    for curve in curves:
        colour, dash = colours[curve.name], dash_of(curve.name, colours)
        look = f'fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round" stroke-opacity=".9"'
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<path d="{_path(thinned(curve.points))}" {look}{dashed}/>')
        for x, y, share in curve.dots:
            (cx, cy), radius = _place(x, y), 2 + 9 * share**0.5
            parts.append(f'<circle cx="{cx}" cy="{cy}" r="{radius:.1f}" fill="{colour}" fill-opacity=".6"/>')
    middle = LEFT + SIDE // 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 6}" text-anchor="middle">{html.escape(x_label)}</text>')
    turned = f'transform="translate(15 {TOP + SIDE // 2}) rotate(-90)"'
    parts.append(f'<text {turned} text-anchor="middle">{html.escape(y_label)}</text></svg>')
    return "".join(parts)


def thinned(points: Sequence[Point]) -> list[Point]:
    """Without points that the eye cannot see: nearer than half a hundredth, or within a straight piece."""
    kept: list[Point] = []
    for x, y in points:
        point = round(x * SIDE) / SIDE, round(y * SIDE) / SIDE
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and _within_a_straight_piece(kept[-2], kept[-1], point):
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _within_a_straight_piece(before: Point, middle: Point, after: Point) -> bool:
    """Whether three points lie on a horizontal or vertical line, in order."""
    across, along = (0, 1) if before[0] == middle[0] else (1, 0)
    level = before[across] == middle[across] == after[across]
    return level and sorted((before[along], middle[along], after[along]))[1] == middle[along]


def _grid() -> str:
    lines, marks = [], []
    for value, label in ((0.0, "0"), (0.5, ".5"), (1.0, "1")):
        x, y = _place(value, value)
        lines += [f"M{x} {TOP}V{TOP + SIDE}", f"M{LEFT} {y}H{LEFT + SIDE}"]
        marks.append(f'<text x="{x}" y="{TOP + SIDE + 17}" text-anchor="middle">{label}</text>')
        marks.append(f'<text x="{LEFT - 6}" y="{y + 5}" text-anchor="end">{label}</text>')
    return f'<path d="{"".join(lines)}" stroke="currentColor" stroke-opacity=".18"/>{"".join(marks)}'


def _path(points: Sequence[Point]) -> str:
    return "M" + "L".join("{} {}".format(*_place(x, y)) for x, y in points)


def _place(x: float, y: float) -> tuple[int, int]:
    return round(LEFT + SIDE * x), round(TOP + SIDE * (1 - y))
