"""The beginning of a report: what was compared, on what, and three findings in words, from the tests."""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.errors import BenchError
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.tables.marks import BEST, TIED
from prior_bench.report.tables.mean_ranks import ranks_of
from prior_bench.report.tables.table import Row, Table
from prior_bench.statistics.ranks import FEWEST_SEEDS, AverageRanks


@dataclass(frozen=True)
class Overview:
    """Facts as (name, text), and findings as sentences."""

    facts: list[tuple[str, str]]
    findings: list[str]


def overview(done: list[FinishedRun], tables: list[Table], ranked: Table) -> Overview:
    """Return the overview of a report.

    Args:
        done: the finished runs.
        tables: the tables of the report, with tests and with trivial rows.
        ranked: the table whose columns the rows are ranked by.
    """
    findings = [ranks_finding(ranked), separations(tables), trivial_finding(tables)]
    return Overview(facts(done), [finding for finding in findings if finding])


def facts(done: list[FinishedRun]) -> list[tuple[str, str]]:
    """What was compared, on what, and how often."""
    rows = list(dict.fromkeys(run.spec["backbone"]["name"] for run in done))
    data = list(dict.fromkeys(run.spec["data"]["name"] for run in done))
    tasks = list(dict.fromkeys(run.spec["task"].replace("_", " ") for run in done))
    seeds = sorted({run.spec["seed"] for run in done})
    return [
        ("compared", ", ".join(rows)),
        ("by", ", ".join(tasks)),
        ("on", ", ".join(data)),
        ("seeds", ", ".join(map(str, seeds))),
    ]


def ranks_finding(table: Table) -> str:
    """Which row has the best mean rank, and whether its interval is apart from the next row's."""
    try:
        ranks = ranks_of(table)
    except BenchError:
        return ""
    (first, second), (one, other) = ranks.labels[:2], ranks.average[:2]
    columns = f"{ranks.evaluations} column{'s' * (ranks.evaluations != 1)}"
    if one == other:
        return f"Over {columns}, {first} and {second} share the best mean rank, {one:.2f}."
    said = f"Over {columns}, {first} has the best mean rank, {one:.2f}; {second} follows with {other:.2f}."
    return f"{said} {_how_sure(ranks)}"


def _how_sure(ranks: AverageRanks) -> str:
    if not ranks.intervals:
        what = f"an interval, which takes {FEWEST_SEEDS} seeds that every cell has"
        return f"Without {what}, this ranks trained weights, and not methods."
    (_, upper), (lower, _) = ranks.intervals[:2]
    if upper < lower:
        return "Their 95 % intervals over seeds do not overlap."
    return "Their 95 % intervals over seeds overlap: other seeds may turn the order round."


def separations(tables: list[Table]) -> str:
    """What the paired tests separate."""
    if any(table.outcomes for table in tables):
        return _declared_finding(tables)
    rows = [row for table in tables for row in table.rows if not row.trivial]
    marks = [[row.cells[c].mark for row in table.rows] for table in tables for c in range(len(table.columns))]
    decided = [column for column in marks if BEST in column or TIED in column]
    if not decided:
        return "In no column do the paired tests tell any row from the best one."
    first = [row.label for row in rows for cell in row.cells if cell.mark == BEST]
    said = f"The paired tests tell rows from the best one in {len(decided)} of {len(marks)} columns."
    if not first:
        return f"{said} In none of them, one row is significantly better than all others."
    counts = {name: first.count(name) for name in dict.fromkeys(first)}
    named = ", ".join(f"{name} in {count}" for name, count in sorted(counts.items(), key=lambda x: -x[1]))
    return f"{said} Significantly better than all others: {named}."


def _declared_finding(tables: list[Table]) -> str:
    outcomes = [outcome for table in tables for outcome in table.outcomes]
    pairs = list(dict.fromkeys((outcome.one, outcome.other) for outcome in outcomes))
    better, even, mixed = [], [], []
    for one, other in pairs:
        mine = [outcome for outcome in outcomes if (outcome.one, outcome.other) == (one, other)]
        wins, losses = (sum(len(getattr(o, side)) for o in mine) for side in ("better", "worse"))
        tested = wins + losses + sum(o.same for o in mine)
        name = f"{one} against {other}"
        if wins and losses:
            mixed.append(f"{name} (better in {wins}, worse in {losses} of {tested})")
        elif wins or losses:
            winner = name if wins else f"{other} against {one}"
            better.append(f"{winner} ({max(wins, losses)} of {tested} columns)")
        elif tested:
            even.append(name)
    parts = [
        f"Significantly better, and nowhere worse: {'; '.join(better)}." if better else "",
        f"Better in some columns and worse in others: {'; '.join(mixed)}." if mixed else "",
        f"Nowhere significantly different: {'; '.join(even)}." if even else "",
    ]
    return " ".join(part for part in parts if part)


def trivial_finding(tables: list[Table]) -> str:
    """In which columns the best row is not above a predictor that does not look at the image."""
    below, seen = [], 0
    for table in tables:
        for c, column in enumerate(table.columns):
            sign = 1 if column.higher_is_better else -1
            rows, trivial = (_values(table.rows, c, trivial, sign) for trivial in (False, True))
            if not rows or not trivial:
                continue
            seen += 1
            if max(rows) <= max(trivial):
                below.append(column.full_label)
    if not seen:
        return ""
    if not below:
        return f"In all {seen} columns, the best row is above what predicts without the image (not tested)."
    where = f"{len(below)} of {seen} columns: {'; '.join(below)}"
    return f"No row is above what predicts without the image (not tested) in {where}."


def _values(rows: list[Row], column: int, trivial: bool, sign: int) -> list[float]:
    """The values of a column, turned so that higher is better."""
    mine = [row.cells[column] for row in rows if row.trivial is trivial]
    return [sign * cell.mean for cell in mine if cell.values]
