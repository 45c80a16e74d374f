"""Draw the critical-difference diagram of Demšar (2006): mean ranks, and bars over equal methods."""

from __future__ import annotations

import math

from prior_bench.report.html.figures.svg import INK, new_axes, page_style, shown_label, to_svg
from prior_bench.statistics.ranks import AverageRanks

AXIS, STEP, BAR = 340, 15, 6
"""Length of the axis, and the distances between labels and between bars, in points."""

OUT, TICK = 18, 4
"""Distance of labels from the axis, and length of a tick, in points."""

DIFFERENCE = 44
"""Height of the critical difference over the axis, in points."""


def rank_plot(ranks: AverageRanks, title: str, description: str, *, file: bool = False) -> str:
    """Draw the diagram as ``<svg>``, with the best rank at the left.

    A bar covers each group of methods whose mean ranks differ by less than the critical difference.

    Args:
        ranks: mean ranks with their critical difference.
        title, description: texts for screen readers.
        file: whether the diagram is for a file of its own.
    """
    methods, groups = len(ranks.labels), ranks.groups()

    def x(value: float) -> float:
        return AXIS * (value - 1) / max(methods - 1, 1)

    with page_style():
        figure, axes = new_axes((AXIS / 72, 1), (0, 0, 1, TICK / 72))
        axes.set_axis_off()
        axes.set(xlim=(0, AXIS), ylim=(0, TICK))  # a unit is a point; y is 0 on the axis

        def line(*points: tuple[float, float], width: float = 0.8) -> None:
            axes.plot(*zip(*points, strict=True), color=INK, linewidth=width, clip_on=False)

        def text(x: float, y: float, words: str, side: str = "center", up: str = "center") -> None:
            axes.text(x, y, words, horizontalalignment=side, verticalalignment=up)

        line((0, 0), (AXIS, 0))
        for tick in range(1, methods + 1):
            line((x(tick), 0), (x(tick), TICK))
            text(x(tick), TICK + 3, str(tick), up="bottom")
        if math.isfinite(ranks.difference):
            end = x(min(1 + ranks.difference, float(methods)))
            line((0, DIFFERENCE), (end, DIFFERENCE), width=1.5)
            for bound in (0, end):
                line((bound, DIFFERENCE - 3), (bound, DIFFERENCE + 3))
            longer = " (longer than the axis)" if end < x(1 + ranks.difference) else ""
            text(0, DIFFERENCE - 10, f"critical difference {ranks.difference:.2f}{longer}", side="left")
        for level, (first, last) in enumerate(groups):
            height = -BAR * (level + 1)
            ends = x(ranks.average[first]) - 2, x(ranks.average[last]) + 2
            line((ends[0], height), (ends[1], height), width=3)
        half = (methods + 1) // 2
        for i, (label, average) in enumerate(zip(ranks.labels, ranks.average, strict=True)):
            left = i < half
            y = -BAR * (len(groups) + 1) - STEP * (i + 0.5 if left else methods - i - 0.5)
            side = -OUT if left else AXIS + OUT
            line((x(average), 0), (x(average), y), (side, y))
            text(
                side + (-3 if left else 3),
                y,
                f"{shown_label(label)} ({average:.2f})",
                "right" if left else "left",
            )
        return to_svg(figure, title, description, tight=True, file=file)
