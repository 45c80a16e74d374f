"""Draw a small square plot with axes from 0 to 1, for ROC, precision-recall and reliability figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prior_bench.report.html.figures.row_look import line_of
from prior_bench.report.html.figures.svg import INK, new_axes, page_style, shown_label, to_svg

WIDTH, HEIGHT, LEFT, BOTTOM, SIDE = 178, 170, 36, 31, 134
"""Size of the panel, and position and side of its square, in points."""

STEPS = 200
"""Number of visible steps per side."""

Point = tuple[float, float]


@dataclass
class Curve:
    """A line of a row, in [0, 1].

    Attributes:
        name: name of the row.
        points: (x, y) in order.
        dots: (x, y, share); the area of a dot is proportional to its share.
    """

    name: str
    points: Sequence[Point]
    dots: Sequence[tuple[float, float, float]] = field(default_factory=list)


def unit_panel(
    curves: list[Curve],
    *,
    title: str,
    description: str,
    x_label: str,
    y_label: str,
    colours: dict[str, str],
    diagonal: bool = False,
    level: float | None = None,
) -> str:
    """Draw the panel as ``<svg>``.

    Args:
        curves: curves to draw; all curves of a row have the same look.
        title: short description for screen readers.
        description: the values in words, for screen readers.
        colours: colours of all rows, in their order; they determine the look of each curve.
        diagonal: whether to draw the line x = y.
        level: height of a horizontal reference line.
    """
    box = (LEFT / WIDTH, BOTTOM / HEIGHT, SIDE / WIDTH, SIDE / HEIGHT)
    reference: dict[str, Any] = {"color": INK, "alpha": 0.55, "linestyle": "--", "linewidth": 0.8}
    with page_style():
        figure, axes = new_axes((WIDTH / 72, HEIGHT / 72), box)
        axes.spines[:].set_visible(False)
        ticks, labels = (0, 0.5, 1), ("0", ".5", "1")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel=shown_label(x_label))
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.set_ylabel(shown_label(y_label), labelpad=3)
        if diagonal:
            axes.plot([0, 1], [0, 1], **reference)
        if level is not None:
            axes.plot([0, 1], [level, level], **reference)
        for curve in curves:
            drawn = thinned(curve.points)
            axes.plot(*zip(*drawn, strict=True), linewidth=1.3, alpha=0.9, **line_of(curve.name, colours))
            for x, y, share in curve.dots:  # a line of length zero with round ends is the shortest circle
                width = round(2.5 + 12 * share**0.5, 1)
                look: dict[str, Any] = {"color": colours[curve.name], "alpha": 0.6}
                axes.plot([x, x], [y, y], linewidth=width, solid_capstyle="round", **look)
        return to_svg(figure, title, description)


def thinned(points: Sequence[Point]) -> list[Point]:
    """Drop invisible points: those closer than half a hundredth, and those within a straight piece."""
    kept: list[Point] = []
    for x, y in points:
        point = round(x * STEPS) / STEPS, round(y * STEPS) / STEPS
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
