"""Marks of a table's cells. A value is bold only if a test supports it.

Every pair of methods in every column is tested, and all p values of the table are corrected together. Or the
table declares questions, each of some pairs; the p values of a question are corrected together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from prior_bench.report.comparing.paired import NotTested, Runs, paired_difference, spread_over_seeds
from prior_bench.report.comparing.run_parts import RunParts, SamplesOfRuns
from prior_bench.report.runs.reported_runs import ReportedRun
from prior_bench.report.runs.units import unit_of_several
from prior_bench.runtime import progress
from prior_bench.statistics.significance import LEVEL, holm

BEST, TIED, LEADING = "best", "tied", "leading"
"""Marks of a cell:

- best: significantly better than every other row with a value;
- tied: the best value, or one that is not significantly worse, if other rows are significantly worse;
- leading: the best value if a test could not be made, or if no row is significantly worse.
"""

ALL_TIED = "no row of the column is significantly worse"

Pair = tuple[int, int, int]
"""Column, row, and a row below it."""


@dataclass(frozen=True)
class Outcome:
    """The result of a declared comparison.

    Attributes:
        one, other: labels of the rows.
        better, worse: where the first row is significantly better and worse: columns with the difference.
        same: number of columns without a significant difference.
        untested: number of columns that could not be tested.
    """

    one: str
    other: str
    better: tuple[str, ...]
    worse: tuple[str, ...]
    same: int
    untested: int

    @property
    def text(self) -> str:
        """The result as a sentence."""
        parts = [
            f"significantly better in {'; '.join(self.better)}" if self.better else "",
            f"significantly worse in {'; '.join(self.worse)}" if self.worse else "",
            f"no significant difference in {self.same} column{'s' * (self.same != 1)}" if self.same else "",
            f"not tested in {self.untested}" if self.untested else "",
        ]
        return f"{self.one} against {self.other}: {', '.join(part for part in parts if part)}."


class Marked(NamedTuple):
    """What stands under a table whose cells are marked: sentences, and the declared comparisons."""

    legend: list[str]
    outcomes: list[Outcome]


def mark_cells(
    rows: list,
    columns: list,
    runs: list[list[Runs]],
    *,
    test: bool = True,
    questions: Sequence[Sequence[tuple[str, str]]] = (),
) -> Marked:
    """Set ``cell.mark`` of all cells and return the sentences of the legend and the declared comparisons.

    Args:
        rows: :class:`prior_bench.report.tables.table.Row` objects, not the trivial ones.
        columns: :class:`prior_bench.report.tables.table.Column` objects.
        runs: finished runs by seed, for each row and column.
        test: whether to test; without tests, the best value of each column is underlined without a claim.
        questions: for each, pairs of labels of rows; if there are any, only these are tested, and the legend
            states the result of each pair.
    """
    if test and questions:
        return _declared(rows, columns, runs, questions)
    results = _tests(rows, columns, runs) if test else TableTests({}, {}, 0, [])
    p_values, untested = results.p, results.untested
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
    legend = [_tests_text(results, _unit(p_values, runs))] if p_values else []
    return Marked(legend + _legend(rows, bool(p_values), list(unclaimed)), [])


def _declared(
    rows: list, columns: list, runs: list[list[Runs]], questions: Sequence[Sequence[tuple[str, str]]]
) -> Marked:
    """Test only the declared comparisons, and underline the best numbers without a claim."""
    mark_cells(rows, columns, runs, test=False)
    place = {row.label: r for r, row in enumerate(rows) if not row.trivial}
    names = dict.fromkeys(name for pairs in questions for pair in pairs for name in pair)
    missing = [name for name in names if name not in place]
    known = [[(place[a], place[b]) for a, b in pairs if a in place and b in place] for pairs in questions]
    results = _tests(rows, columns, runs, known)
    legend = [f"Declared comparisons: no row is called {name}." for name in missing]
    if results.p:
        legend.append(_tests_text(results, _unit(results.p, runs), declared=True))
    outcomes = [_outcome(rows, columns, one, other, results) for pairs in known for one, other in pairs]
    legend += [outcome.text for outcome in outcomes]
    return Marked([*legend, "Underlined: best number of a column, without a claim."], outcomes)


def _outcome(rows: list, columns: list, one: int, other: int, results: TableTests) -> Outcome:
    """Return where the first row of a declared comparison is better, and where it is worse."""
    better: list[str] = []
    worse: list[str] = []
    same = untested = 0
    for c, column in enumerate(columns):
        if not column.compared:
            continue
        p = results.p.get((c, one, other))
        if p is None:
            untested += 1
        elif p >= LEVEL:
            same += 1
        else:
            rise = rows[one].cells[c].mean - rows[other].cells[c].mean
            said = f"{column.full_label} ({rise:+.{column.digits}f})"
            (better if (rise > 0) == column.higher_is_better else worse).append(said)
    return Outcome(rows[one].label, rows[other].label, tuple(better), tuple(worse), same, untested)


def _unit(p_values: dict[Pair, float], runs: list[list[Runs]]) -> str:
    """Return the unit of the tests, such as "patient"."""
    tested = {c for c, _, _ in p_values}
    return unit_of_several(run for c in tested for run in _any_run(line[c] for line in runs))


def _any_run(column: Iterable[Runs]) -> list[ReportedRun]:
    """Return one run of a column; all compared runs have the same test samples."""
    return next(([next(iter(runs.values()))] for runs in column if runs), [])


class TableTests(NamedTuple):
    """Results of all tests of a table.

    Attributes:
        p: corrected p values.
        untested: why the other pairs could not be tested.
        weights_only: number of tests that ignore the variation between trainings.
        together: numbers of tests that were corrected together.
    """

    p: dict[Pair, float]
    untested: dict[Pair, str]
    weights_only: int
    together: list[int]


def _tests(
    rows: list,
    columns: list,
    runs: list[list[Runs]],
    declared: Sequence[Sequence[tuple[int, int]]] | None = None,
) -> TableTests:
    """Test all pairs of rows in every column, or those of the declared questions in the columns for them."""
    weights_only = 0
    question_of = {pair: q for q, pairs in enumerate(declared or ()) for pair in pairs}
    found: list[dict[Pair, float]] = [{} for _ in declared or [()]]
    untested: dict[Pair, str] = {}
    samples = SamplesOfRuns()
    for c, column in enumerate(progress(columns, "paired tests of columns")):
        filled = [r for r, row in enumerate(rows) if row.cells[c].values]
        spread = spread_over_seeds([runs[r][c] for r in filled], column.metric) if filled else None
        pairs: Iterable[tuple[int, int]] = combinations(filled, 2)
        if declared is not None:
            pairs = [pair for pair in question_of if column.compared and set(pair) <= set(filled)]
        parts = RunParts(column.metric, samples)
        for one, two in pairs:
            try:
                difference = paired_difference(runs[one][c], runs[two][c], column.metric, spread, parts)
            except NotTested as reason:
                untested[c, one, two] = str(reason)
                continue
            p = difference.p
            if math.isnan(p):
                untested[c, one, two] = "no variation among the test samples"
            else:
                found[question_of.get((one, two), 0)][c, one, two] = p
                weights_only += not difference.covers_seeds
    corrected: dict[Pair, float] = {}
    for raw in found:
        corrected |= zip(raw, holm(list(raw.values())), strict=True)
    return TableTests(corrected, untested, weights_only, [len(raw) for raw in found if raw])


def _tests_text(results: TableTests, unit: str, declared: bool = False) -> str:
    """Return a sentence on how tests were made and how many ignore the variation between trainings."""
    tests, weights_only, together = len(results.p), results.weights_only, results.together
    by = f"test {unit}" if weights_only == tests else f"test {unit} and seed"
    kind = f"{'declared ' * declared}comparison{'s' * (tests > 1)}"
    text = f"Paired tests by {by}, Holm over the table's {tests} {kind}, "
    if len(together) > 1:
        each = ", ".join(map(str, together[:-1]))
        text += f"{each} and {together[-1]} for its {len(together)} questions, "
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
