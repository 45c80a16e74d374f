"""Draw values by label as dots with error bars; the legend is in the page."""

from __future__ import annotations

import math

from prior_bench.report.html.figures.row_look import marker_of
from prior_bench.report.html.figures.series import Series, values_text
from prior_bench.report.html.figures.svg import INK, new_axes, page_style, shown_label, to_svg

WIDTH = 5.0
"""Width of the figure in inches; its height follows the number of dots."""


def dot_plot(
    labels: list[str],
    series: list[Series],
    *,
    x_label: str,
    title: str,
    colours: dict[str, str],
    reference: float | None = None,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> str:
    """Draw a line of dots per label; return an ``<svg>`` with the values as its description.

    Args:
        labels: labels from top to bottom.
        series: a value and its error for each label; ``x`` is not used.
        title: short description for screen readers.
        colours: colours of all rows, in their order; they determine the look of each series.
        reference: position of a dashed vertical line, e.g. chance.
        limits: smallest and largest possible value; error bars end there.
    """
    height = 0.6 + (0.2 + 0.07 * len(series)) * max(len(labels), 2)
    distance = 0.6 / max(len(series), 1)
    with page_style():
        figure, axes = new_axes((WIDTH, height))
        for i, dots in enumerate(series):
            rows = [row + (i - (len(series) - 1) / 2) * distance for row in range(len(labels))]
            look = {"color": colours[dots.name], **marker_of(dots.name, colours)}
            axes.plot(dots.y, rows, linestyle="", **look)
            for value, std, row in zip(dots.y, dots.std, rows, strict=False):
                if math.isfinite(value) and math.isfinite(std):
                    ends = max(value - std, limits[0]), min(value + std, limits[1])
                    axes.plot(ends, [row, row], color=colours[dots.name], linewidth=1.4)
        if reference is not None:
            axes.axvline(reference, color=INK, linestyle="--", linewidth=0.8, alpha=0.6)
        axes.set_yticks(range(len(labels)), [shown_label(text) for text in labels])
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel(shown_label(x_label))
        return to_svg(figure, title, values_text(series, [labels] * len(series)))
