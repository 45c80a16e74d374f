"""What is marked in a table: bold only where a test says so.

Every pair of methods in every column is tested, and all p values of the table are corrected together.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from prior_bench.metrics.significance import LEVEL, holm
from prior_bench.report.paired import NotTested, Runs, paired_difference, spread_over_seeds

BEST, TIED, LEADING = "best", "tied", "leading"
"""Marks of a cell: significantly better than every other row; highest, or not told apart from the highest;
highest where no test was made, or where no row was told apart from it."""

ALL_TIED = "no row of the column is told apart from it"


def mark_cells(rows: list, columns: list, runs: list[list[Runs]], *, test: bool = True) -> list[str]:
    """Set ``cell.mark`` throughout and return the sentences of the legend.

    Args:
        rows: :class:`prior_bench.report.table.Row` objects, not the trivial ones.
        columns: :class:`prior_bench.report.table.Column` objects.
        runs: per row and column, the finished runs by seed.
        test: False marks the highest number of each column, without any claim.
    """
    p_values, reasons = _tests(rows, columns, runs) if test else ({}, Counter())
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        if len(filled) < 2:
            continue
        sign = 1 if column.higher_is_better else -1
        shown = {r: sign * round(rows[r].cells[c].mean, column.digits) for r in filled}
        top = max(filled, key=lambda r: sign * rows[r].cells[c].mean)
        against = {r: p_values.get((c, *sorted((top, r)))) for r in filled if r != top}
        tied = [r for r, p in against.items() if p is not None and p >= LEVEL]
        if any(p is None for p in against.values()) or len(tied) == len(against):
            leading = [r for r in filled if shown[r] == shown[top]]
            for r in leading if len(leading) < len(filled) else []:
                rows[r].cells[c].mark = LEADING
            if len(tied) == len(against):
                reasons[ALL_TIED] += 1
        elif not tied:
            rows[top].cells[c].mark = BEST
        else:
            for r in [top, *tied]:
                rows[r].cells[c].mark = TIED
    return _legend(rows, len(p_values), reasons, test)


def _tests(rows: list, columns: list, runs: list[list[Runs]]) -> tuple[dict[tuple, float], Counter]:
    """Corrected p values by (column, row, row), and how often no test could be made, by reason."""
    found: dict[tuple[int, int, int], float] = {}
    reasons: Counter = Counter()
    for c, column in enumerate(columns):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        spread = spread_over_seeds([runs[r][c] for r in filled], column.metric) if filled else None
        for one, two in combinations(filled, 2):
            try:
                p = paired_difference(runs[one][c], runs[two][c], column.metric, spread).p
                if p != p:
                    raise NotTested("no variation among the test samples")
                found[c, one, two] = p
            except NotTested as reason:
                reasons[str(reason)] += 1
    return dict(zip(found, holm(list(found.values())), strict=True)), reasons


def _legend(rows: list, tests: int, reasons: Counter, test: bool) -> list[str]:
    marks = {cell.mark for row in rows for cell in row.cells}
    notes = []
    if tests:
        notes.append(
            f"Paired tests by test patient and seed, Holm over the table's {tests} comparison"
            f"{'s' * (tests > 1)}, level {100 * LEVEL:g} %."
        )
    if BEST in marks:
        notes.append("Bold: significantly better than every other row.")
    elif tests:
        notes.append("Nothing is significantly better than every other row, so nothing is bold.")
    if TIED in marks:
        notes.append("≈: best number, or not significantly worse than the best.")
    if LEADING in marks:
        why = " or ".join(reason for reason, _ in reasons.most_common(2)) if test else "no test was asked for"
        notes.append(f"Underlined: best number, no claim ({why}).")
    return notes
