"""Draw lines with bands over a common axis; the legend is in the page."""

from __future__ import annotations

import math

from prior_bench.report.html.figures.row_look import line_of, marker_of
from prior_bench.report.html.figures.series import Series, values_text
from prior_bench.report.html.figures.svg import new_axes, page_style, shown_label, to_svg

MOST_MARKERS = 30
"""Largest number of points of a line with markers."""


def line_plot(
    series: list[Series],
    *,
    x_label: str,
    y_label: str,
    title: str,
    colours: dict[str, str],
    x_ticks: dict[float, str] | None = None,
    log_x: bool = False,
    bounds: dict[str, list[float]] | None = None,
    size: tuple[float, float] = (4.6, 3.0),
) -> str:
    """Draw the plot; return an ``<svg>`` with the values as its description.

    Args:
        title: short description for screen readers.
        colours: colours of all rows, in their order; they determine the look of each series.
        x_ticks: labels by position; by default matplotlib chooses them.
        log_x: whether the horizontal axis is logarithmic.
        bounds: positions of dotted vertical lines by row, e.g. where a stage ends.
        size: width and height in inches.
    """
    with page_style():
        figure, axes = new_axes(size)
        for order, line in enumerate(series):
            markers = marker_of(line.name, colours) if len(line.x) <= MOST_MARKERS else {}
            axes.plot(line.x, line.y, linewidth=1.6, **line_of(line.name, colours), **markers)
            if any(math.isfinite(std) for std in line.std):
                around = [std if math.isfinite(std) else 0.0 for std in line.std]
                low = [y - std for y, std in zip(line.y, around, strict=True)]
                high = [y + std for y, std in zip(line.y, around, strict=True)]
                outline = [*line.x, *reversed(line.x)], [*low, *reversed(high)]
                axes.fill(*outline, color=colours[line.name], alpha=0.15, linewidth=0, zorder=order / 100)
        for name, places in (bounds or {}).items():
            for place in places:
                axes.axvline(place, color=colours[name], linestyle=":", linewidth=1.0, zorder=0)
        if log_x:
            axes.set_xscale("log")
        if x_ticks:
            axes.set_xticks(list(x_ticks), list(x_ticks.values()))
            axes.minorticks_off()
        elif not log_x:
            axes.locator_params(axis="x", integer=True)
        axes.set(xlabel=shown_label(x_label), ylabel=shown_label(y_label))
        axes.margins(x=0.03)
        positions = [[(x_ticks or {}).get(x, f"{x:g}") for x in line.x] for line in series]
        return to_svg(figure, title, values_text(series, positions))
