"""The critical-difference diagram of a table: mean ranks on a line, bars over what is not told apart."""

from __future__ import annotations

import html
import math

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.tables.table import Table
from prior_bench.statistics.ranks import AverageRanks, rank
from prior_bench.statistics.significance import LEVEL

WIDTH, MARGIN, LABELS = 640, 24, 150
TOP, STEP = 56, 18


def ranks_of(table: Table) -> AverageRanks:
    """Mean ranks of a table's rows over the columns in which every row has a number.

    Trivial rows do not take part, nor rows without any number.

    Raises:
        BenchError: fewer than two rows, or no such column.
    """
    rows = [row for row in table.rows if not row.trivial and any(cell.values for cell in row.cells)]
    evaluations = [c for c, column in enumerate(table.columns) if column.task]  # not a leaderboard's summary
    full = [c for c in evaluations if all(row.cells[c].values for row in rows)]
    if len(rows) < 2 or not full:
        raise BenchError("ranks need two rows and a column in which each has a number", where=table.name)
    signs = [1 if table.columns[c].higher_is_better else -1 for c in full]
    values = np.array([[s * row.cells[c].mean for s, c in zip(signs, full, strict=True)] for row in rows])
    return rank([row.label for row in rows], values)


def ranks_text(ranks: AverageRanks) -> str:
    """The diagram in one sentence, for those who cannot see it."""
    names = ", ".join(f"{n} {r:.2f}" for n, r in zip(ranks.labels, ranks.average, strict=True))
    text = f"Mean ranks over {ranks.evaluations} columns: {names}."
    if math.isfinite(ranks.difference):
        text += f" Critical difference {ranks.difference:.2f} (Nemenyi, {100 * LEVEL:g} %)."
    if math.isfinite(ranks.p):
        text += f" Friedman's test: p = {ranks.p:.3g}."
    return text


def ranks_svg(ranks: AverageRanks) -> str:
    """The diagram as a self-contained ``<svg>``: best rank at the left, a bar over every group of methods
    whose ranks differ by less than the critical difference. Colours follow the text around it."""
    methods = len(ranks.labels)
    half = (methods + 1) // 2
    groups = ranks.groups()
    lines_from = TOP + 10 + 8 * len(groups)
    height = lines_from + STEP * half + 14

    def x(value: float) -> float:
        inner = WIDTH - 2 * (LABELS + MARGIN)
        return LABELS + MARGIN + inner * (value - 1) / max(methods - 1, 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="currentColor" stroke="none">',
        f"<title>{html.escape(ranks_text(ranks))}</title>",
        _line(x(1), TOP, x(methods), TOP),
    ]
    for tick in range(1, methods + 1):
        parts += [_line(x(tick), TOP, x(tick), TOP - 5), _text(x(tick), TOP - 9, str(tick), "middle")]
    if math.isfinite(ranks.difference):
        end = min(1 + ranks.difference, float(methods))
        longer = " (longer than the axis)" if end < 1 + ranks.difference else ""
        parts += [_line(x(1), 14, x(end), 14, 2), _line(x(1), 10, x(1), 18), _line(x(end), 10, x(end), 18)]
        parts.append(_text(x(1), 30, f"critical difference {ranks.difference:.2f}{longer}", "start"))
    for level, (first, last) in enumerate(groups):
        y = TOP + 8 + 8 * level
        parts.append(_line(x(ranks.average[first]) - 3, y, x(ranks.average[last]) + 3, y, 4))
    for i, (label, average) in enumerate(zip(ranks.labels, ranks.average, strict=True)):
        left = i < half
        y = lines_from + STEP * (i if left else methods - 1 - i) + STEP / 2
        side, anchor = (LABELS, "end") if left else (WIDTH - LABELS, "start")
        parts += [_line(x(average), TOP, x(average), y), _line(x(average), y, side, y)]
        parts.append(_text(side + (-4 if left else 4), y + 4, f"{label} ({average:.2f})", anchor))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(x1: float, y1: float, x2: float, y2: float, width: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
        f'stroke="currentColor" stroke-width="{width:g}"/>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{html.escape(text)}</text>'
