"""Marks of a table's cells. A value is bold only if a test supports it.

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
"""Marks of a cell:

- best: significantly better than every other row with a value; - tied: the best value, or one that is not
significantly worse, if other rows are significantly worse; - leading: the best value if a test could not be
made, or if no row is significantly worse.
"""

ALL_TIED = "no row of the column is significantly worse"

Pair = tuple[int, int, int]
"""Column, row, and a row below it."""


def mark_cells(rows: list, columns: list, runs: list[list[Runs]], *, test: bool = True) -> list[str]:
    """Set ``cell.mark`` of all cells and return the sentences of the legend.

    Args:
        rows: :class:`prior_bench.report.tables.table.Row` objects, not the trivial ones.
        columns: :class:`prior_bench.report.tables.table.Column` objects.
        runs: finished runs by seed, for each row and column.
        test: whether to test; without tests, the best value of each column is underlined without a claim.
    """
    p_values, untested, weights_only = _tests(rows, columns, runs) if test else ({}, {}, 0)
    unclaimed: dict[str, None] = {}  # why the best is only underlined; a dict keeps the order
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        if len(filled) < 2:
            continue
        sign = 1 if column.higher_is_better else -1
        top = max(filled, key=lambda r: sign * rows[r].cells[c].mean)
        pairs = {r: (c, min(top, r), max(top, r)) for r in filled if r != top}
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
    legend = [_tests_text(len(p_values), weights_only, unit)] if p_values else []
    return legend + _legend(rows, bool(p_values), list(unclaimed))


def _any_run(column: Iterable[Runs]) -> list[ReportedRun]:
    """Return one run of a column; all compared runs have the same test samples."""
    return next(([next(iter(runs.values()))] for runs in column if runs), [])


def _tests(
    rows: list, columns: list, runs: list[list[Runs]]
) -> tuple[dict[Pair, float], dict[Pair, str], int]:
    """Return corrected p values, reasons for untested pairs, and the number of tests that ignore seeds."""
    weights_only = 0
    found: dict[Pair, float] = {}
    untested: dict[Pair, str] = {}
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        spread = spread_over_seeds([runs[r][c] for r in filled], column.metric) if filled else None
        for one, two in combinations(filled, 2):
            try:
                difference = paired_difference(runs[one][c], runs[two][c], column.metric, spread)
            except NotTested as reason:
                untested[c, one, two] = str(reason)
                continue
            p = difference.p
            if math.isnan(p):
                untested[c, one, two] = "no variation among the test samples"
            else:
                found[c, one, two] = p
                weights_only += not difference.covers_seeds
    return dict(zip(found, holm(list(found.values())), strict=True)), untested, weights_only


def _tests_text(tests: int, weights_only: int, unit: str) -> str:
    """Return a sentence on how tests were made and how many ignore the variation between trainings."""
    by = f"test {unit}" if weights_only == tests else f"test {unit} and seed"
    text = f"Paired tests by {by}, Holm over the table's {tests} comparison{'s' * (tests > 1)}, "
    text += f"level {100 * LEVEL:g} %"
    if weights_only == tests:
        return f"{text}; with one seed they compare these trained weights, and not the methods."
    if weights_only:
        return f"{text}; {weights_only} of them, with one seed, compare these trained weights only."
    return f"{text}."


def _legend(rows: list, tested: bool, unclaimed: list[str]) -> list[str]:
    marks = {cell.mark for row in rows for cell in row.cells}
    missing_cells = any(not cell.values for row in rows for cell in row.cells)
    every_other = f"every other row{' that has a number in the column' * missing_cells}"
    notes = []
    if BEST in marks:
        notes.append(f"Bold: significantly better than {every_other}.")
    elif tested:
        notes.append(f"Nothing is significantly better than {every_other}, so nothing is bold.")
    if TIED in marks:
        notes.append(
            "≈: best number of a column, or not significantly worse than it, "
            "where other rows are significantly worse."
        )
    if LEADING in marks:
        missing = [reason for reason in unclaimed if reason != ALL_TIED]
        why = [ALL_TIED] if ALL_TIED in unclaimed else []
        if missing:
            why.append(f"not every row could be tested against it ({'; '.join(missing)})")
        notes.append(
            f"Underlined: best number of a column, without a claim: "
            f"{', or '.join(why) or 'no tests were made'}."
        )
    return notes
