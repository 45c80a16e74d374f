"""Intervals in the cells of a table: how far other test patients would move a number."""

from __future__ import annotations

import math

from prior_bench.errors import BenchError
from prior_bench.report.comparing.paired import Runs
from prior_bench.report.runs.draws import metric_draws
from prior_bench.report.runs.units import unit_of_several
from prior_bench.runtime import progress
from prior_bench.statistics.bootstrap import percentiles


def set_intervals(rows: list, columns: list, runs: list[list[Runs]]) -> list[str]:
    """Set ``cell.interval`` of the cells with one seed, and return the sentence of the legend.

    Several seeds have a standard deviation instead. A run whose predictions are missing or have no patients
    gets no interval.

    Args:
        rows: :class:`prior_bench.report.tables.table.Row` objects, not the trivial ones.
        columns: :class:`prior_bench.report.tables.table.Column` objects.
        runs: finished runs by seed, for each row and column.
    """
    shown = []
    for row, of_row in progress(list(zip(rows, runs, strict=True)), "intervals of rows"):
        for cell, column, found in zip(row.cells, columns, of_row, strict=True):
            if len(found) != 1:
                continue
            (run,) = found.values()
            try:
                lower, upper = percentiles(metric_draws(run.record, run.store, column.metric))
            except BenchError:
                continue
            if math.isfinite(lower):
                cell.interval = (column.scale * lower, column.scale * upper)
                shown.append(run)
    if not shown:
        return []
    return [f"In brackets: 95 % bootstrap intervals by test {unit_of_several(shown)}."]
