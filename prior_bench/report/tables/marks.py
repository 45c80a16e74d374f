"""What is marked in a table: bold only where a test says so.

Every pair of methods in every column is tested, and all p values of the table are corrected together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import combinations

from prior_bench.report.comparing.paired import NotTested, Runs, paired_difference, spread_over_seeds
from prior_bench.report.runs.reported_runs import ReportedRun
from prior_bench.report.runs.units import unit_of_several
from prior_bench.statistics.significance import LEVEL, holm

BEST, TIED, LEADING = "best", "tied", "leading"
"""Marks of a cell: significantly better than every other row; highest, or not told apart from the highest,
where others are; highest where a test could not be made, or where no row was told apart from it."""

ALL_TIED = "no row of the column is significantly worse"

Pair = tuple[int, int, int]
"""Column, row, and a row below it."""


def mark_cells(rows: list, columns: list, runs: list[list[Runs]], *, test: bool = True) -> list[str]:
    """Set ``cell.mark`` throughout and return the sentences of the legend.

    Args:
        rows: :class:`prior_bench.report.tables.table.Row` objects, not the trivial ones.
        columns: :class:`prior_bench.report.tables.table.Column` objects.
        runs: per row and column, the finished runs by seed.
        test: False marks the highest number of each column, without any claim.
    """
    p_values, untested = _tests(rows, columns, runs) if test else ({}, {})
    unclaimed: dict[str, None] = {}  # why the best is only underlined; a dict keeps the order
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        if len(filled) < 2:
            continue
        sign = 1 if column.higher_is_better else -1
        top = max(filled, key=lambda r: sign * rows[r].cells[c].mean)
        pairs = {r: (c, *sorted((top, r))) for r in filled if r != top}
        tied = [r for r, pair in pairs.items() if p_values.get(pair, 0) >= LEVEL]
        why = [untested[pair] for pair in pairs.values() if pair in untested]
        if len(tied) == len(pairs):
            why = [ALL_TIED]
        if why or not test:
            shown = {r: round(rows[r].cells[c].mean, column.digits) for r in filled}
            leading = [r for r in filled if shown[r] == shown[top]]
            if len(leading) < len(filled):
                unclaimed |= dict.fromkeys(why)
                for r in leading:
                    rows[r].cells[c].mark = LEADING
        else:
            for r in [top, *tied]:
                rows[r].cells[c].mark = TIED if tied else BEST
    tested = {c for c, _, _ in p_values}
    unit = unit_of_several(run for c in tested for run in _any_run(line[c] for line in runs))
    return _legend(rows, len(p_values), list(unclaimed), unit)


def _any_run(column: Iterable[Runs]) -> list[ReportedRun]:
    """One run of a column: all that are compared have the same test samples."""
    return next(([next(iter(runs.values()))] for runs in column if runs), [])


def _tests(rows: list, columns: list, runs: list[list[Runs]]) -> tuple[dict[Pair, float], dict[Pair, str]]:
    """Corrected p values, and why other pairs could not be tested."""
    found: dict[Pair, float] = {}
    untested: dict[Pair, str] = {}
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        spread = spread_over_seeds([runs[r][c] for r in filled], column.metric) if filled else None
        for one, two in combinations(filled, 2):
            try:
                p = paired_difference(runs[one][c], runs[two][c], column.metric, spread).p
            except NotTested as reason:
                untested[c, one, two] = str(reason)
                continue
            if math.isnan(p):
                untested[c, one, two] = "no variation among the test samples"
            else:
                found[c, one, two] = p
    return dict(zip(found, holm(list(found.values())), strict=True)), untested


def _legend(rows: list, tests: int, unclaimed: list[str], unit: str) -> list[str]:
    marks = {cell.mark for row in rows for cell in row.cells}
    notes = []
    if tests:
        notes.append(
            f"Paired tests by test {unit} and seed, Holm over the table's {tests} comparison"
            f"{'s' * (tests > 1)}, level {100 * LEVEL:g} %."
        )
    if BEST in marks:
        notes.append("Bold: significantly better than every other row.")
    elif tests:
        notes.append("Nothing is significantly better than every other row, so nothing is bold.")
    if TIED in marks:
        notes.append(
            "≈: best number of a column, or not significantly worse, "
            "where other rows are significantly worse."
        )
    if LEADING in marks:
        missing = [reason for reason in unclaimed if reason != ALL_TIED]
        why = [ALL_TIED] if ALL_TIED in unclaimed else []
        if missing:
            why.append(f"not every row could be tested against it ({'; '.join(missing)})")
        notes.append(
            f"Underlined: best number of a column, no claim: {', or '.join(why) or 'no test was asked for'}."
        )
    return notes
