"""Tables with published numbers: a paper's table alone, or our results next to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from prior_bench.errors import BenchError
from prior_bench.report.comparing.paired import mean_interval
from prior_bench.report.published.comparable import nearest
from prior_bench.report.published.numbers import Published, load_published, select
from prior_bench.report.runs.reported_runs import ReportedRun, reported_runs, stores_of
from prior_bench.report.runs.units import one_per_data_set, unit_of_several
from prior_bench.report.tables.config import as_declared
from prior_bench.report.tables.table import Cell, Column, Row, Table, TableConfig, cell_of, finished, notes_of
from prior_bench.store.store import Store

KINDS = {
    "re-run": "Re-runs by others than the method's authors",
    "aggregate": "From a listing that names neither table nor protocol",
}
"""Introductions of numbers that do not come from a paper by the method's authors."""


def published_table(config: TableConfig, numbers: Iterable[Published] | None = None) -> Table:
    """Return a paper's table as transcribed, in the order of the file.

    Args:
        config: table config whose columns select the published numbers.
        numbers: numbers to choose from; by default all known ones.

    Raises:
        BenchError: the table has no column with published numbers, or a column selects no number or several
            numbers of one method.
    """
    columns, chosen = _chosen(config, numbers)
    methods = list(dict.fromkeys(method for column in chosen for method in column))
    rows = [Row(method, [_theirs(column.get(method)) for column in chosen]) for method in methods]
    columns, _ = as_declared(columns, ())
    shown = [
        replace(column, scale=1.0, digits=max(n.digits for n in found.values()))
        for column, found in zip(columns, chosen, strict=True)
    ]
    notes = ["As published; nothing was run by this suite, and nothing is marked.", *_sources(chosen)]
    return Table(config.name, config.title, shown, rows, notes)


def table_beside(
    config: TableConfig, stores: Iterable[Store] | None = None, numbers: Iterable[Published] | None = None
) -> Table:
    """Return a table with three columns per column with published numbers: ours, published, and difference.

    Rows are the published methods, followed by our backbones without a published number. A backbone is
    matched to the published method of the same name, ignoring case, or by ``config.published_names``.
    """
    columns, chosen = _chosen(config, numbers)
    found = reported_runs(stores if stores is not None else stores_of(config.suites))
    columns, unknown = as_declared(columns, found)
    ours: dict[str, list[ReportedRun]] = {}
    names = {method.casefold(): method for column in chosen for method in column}
    for entry in found:
        if config.rows == "all" or entry.spec["backbone"]["name"] in config.rows:
            name = entry.spec["backbone"]["name"]
            ours.setdefault(config.published_names.get(name) or names.get(name.casefold(), name), []).append(
                entry
            )
    rows, used = [], []
    for method in dict.fromkeys([*names.values(), *ours]):
        cells = []
        for column, theirs in zip(columns, chosen, strict=True):
            triple, runs = _triple(ours.get(method, []), theirs, method, column)
            cells += triple
            used += runs
        rows.append(Row(method, cells))
    shown = []
    for column, theirs in zip(columns, chosen, strict=True):
        group = f"{column.group}, {column.label}" if column.label else column.group
        digits = max(column.digits, *(number.digits for number in theirs.values()))
        shown += [
            replace(
                column, group=group, label=label, digits=digits, arrow=column.arrow and label != "difference"
            )
            for label in ("ours", "published", "difference")
        ]
    notes = [
        *notes_of(replace(config, columns=columns), used),
        *unknown,
        "Difference: ours minus published, with the 95 % interval of ours (bootstrap by test "
        f"{unit_of_several(one_per_data_set(used))}; the published number is treated as exact).",
        "Compared only where data set, split, label fraction, frozen or not, and metric variant match.",
        *_sources(chosen),
    ]
    return Table(config.name, config.title, shown, rows, notes)


def _triple(
    runs: list[ReportedRun], theirs: dict[str, Published], method: str, column: Column
) -> tuple[list[Cell], list[ReportedRun]]:
    """Return the cells ours, published and difference, and the runs of our number."""
    number = theirs.get(method)
    runs = [run for run in runs if _of_column(run, column)]
    if number is None:  # use the conditions of the column's other numbers
        runs, _ = nearest(runs, column.metric, next(iter(theirs.values())))
        return [_ours(runs, column), _theirs(None), Cell(reason="–")], runs
    runs, differs = nearest(runs, column.metric, number)
    mine = _ours(runs, column)
    if not mine.values:
        return [mine, _theirs(number), Cell(reason="–")], runs
    if differs:
        return [mine, _theirs(number), Cell(reason=f"not comparable: {differs[0]}")], runs
    difference = Cell({0: mine.mean - number.value}, signed=True)
    interval = mean_interval(finished(runs, column.metric), column.metric, column.scale)
    if interval:
        difference.interval = interval[0] - number.value, interval[1] - number.value
    return [mine, _theirs(number), difference], runs


def _of_column(run: ReportedRun, column: Column) -> bool:
    """Whether a run may be shown in the column; results on another data set would be misread."""
    return run.spec["task"] == column.task and run.spec["data"]["type"] == column.data["type"]


def _ours(runs: list[ReportedRun], column: Column) -> Cell:
    cell = cell_of(runs, column)
    if not runs:
        cell.reason = "not run"
    return cell


def _theirs(number: Published | None) -> Cell:
    return Cell({0: number.value}, planned=1) if number else Cell(reason="–")


def _chosen(
    config: TableConfig, numbers: Iterable[Published] | None
) -> tuple[list[Column], list[dict[str, Published]]]:
    """Return the columns with published numbers, and the numbers of each by method."""
    columns = [column for column in config.columns if column.published]
    if not columns:
        fix = "give its columns the key 'published'; see docs/published.md"
        raise BenchError("this table has no published numbers", where=config.name, fix=fix)
    numbers = load_published() if numbers is None else list(numbers)
    chosen = []
    for column in columns:
        where = f"{config.name}, column '{column.group}: {column.label}'"
        found = select(numbers, column.published)
        if not found:
            raise BenchError("no published number fits", where=where, fix="correct its 'published'")
        by_method: dict[str, Published] = {}
        for number in found:
            first = by_method.setdefault(number.method, number)
            if first is not number:
                what = f"both {first.where} and {number.where} fit"
                raise BenchError(what, where=where, fix="make its 'published' more specific")
        chosen.append(by_method)
    return columns, chosen


def _sources(chosen: list[dict[str, Published]]) -> list[str]:
    """Return notes on the sources of the numbers, and other facts that a reader must know."""
    numbers = [number for column in chosen for number in column.values()]
    read = dict.fromkeys(f"{n.source_paper}, {n.source_table} ({n.via})" for n in numbers)
    notes = [f"Published numbers from {'; '.join(read)}."]
    for kind, words in KINDS.items():
        if names := dict.fromkeys(n.method for n in numbers if n.kind == kind):
            notes.append(f"{words}: {', '.join(names)}.")
    if any(n.verified == "no" for n in numbers):
        notes.append("Some of these numbers were not checked against their source.")
    for note in dict.fromkeys(n.note for n in numbers if n.note):
        who = dict.fromkeys(n.method for n in numbers if n.note == note)
        notes.append(f"{', '.join(who)}: {note}.")
    return notes
