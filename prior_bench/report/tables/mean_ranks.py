"""Mean ranks of a table's rows over its columns, as values and in words."""

from __future__ import annotations

import math

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.tables.table import Table
from prior_bench.statistics.ranks import AverageRanks, rank
from prior_bench.statistics.significance import LEVEL


def ranks_of(table: Table) -> AverageRanks:
    """Compute the mean ranks of the rows over the columns in which every row has a value.

    Trivial rows and rows without any value are ignored.

    Raises:
        BenchError: there are fewer than two rows, or no such column.
    """
    rows = [row for row in table.rows if not row.trivial and any(cell.values for cell in row.cells)]
    full = [c for c in _evaluations(table) if all(row.cells[c].values for row in rows)]
    if len(rows) < 2 or not full:
        what = "mean ranks need two rows and a column in which every row has a number"
        raise BenchError(what, where=table.name)
    signs = [1 if table.columns[c].higher_is_better else -1 for c in full]
    values = np.array([[s * row.cells[c].mean for s, c in zip(signs, full, strict=True)] for row in rows])
    cells = [[row.cells[c] for c in full] for row in rows]
    seeds = sorted({seed for row in cells for cell in row for seed in cell.values})
    by_seed = None
    if all(sorted(cell.values) == seeds for row in cells for cell in row):
        by_seed = np.array(signs) * np.array(
            [[[cell.values[seed] for cell in row] for row in cells] for seed in seeds]
        )
    return rank([row.label for row in rows], values, by_seed)


def ranks_text(ranks: AverageRanks, table: Table) -> str:
    """Return the mean ranks and their tests in words.

    Args:
        ranks: result of :func:`ranks_of`.
        table: the table of the ranks.
    """
    named = [f"{label} {average:.2f}" for label, average in zip(ranks.labels, ranks.average, strict=True)]
    if ranks.intervals:
        named = [
            f"{one} [{low:.2f}, {high:.2f}]" for one, (low, high) in zip(named, ranks.intervals, strict=True)
        ]
    names = "; ".join(named)
    columns = f"{ranks.evaluations} column{'s' * (ranks.evaluations > 1)}"
    if left_out := len(_evaluations(table)) - ranks.evaluations:
        columns += f" ({left_out} left out, because not every row has a number there)"
    over = " (95 % intervals: bootstrap over seeds)" if ranks.intervals else ""
    text = f"Mean ranks over {columns}{over}: {names}."
    if math.isfinite(ranks.difference):
        text += f" Critical difference {ranks.difference:.2f} (Nemenyi, {100 * LEVEL:g} %)."
    else:
        text += " A single column gives no critical difference."
    if math.isfinite(ranks.p):
        text += f" Friedman test: p {'< 0.001' if ranks.p < 0.001 else f'= {ranks.p:.3f}'}."
    return text


def _evaluations(table: Table) -> list[int]:
    """Return the positions of the columns of evaluations, without the summary of a leaderboard."""
    return [c for c, column in enumerate(table.columns) if column.task]
