"""The tables of a suite: one per table config that it names, on the data of the suite."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from prior_bench.data.references import resolve
from prior_bench.errors import BenchError
from prior_bench.io.plain import plain
from prior_bench.report.runs.reported_runs import ReportedRun, same_data
from prior_bench.report.tables.config import Column, TableConfig, load_table, table_of_entries
from prior_bench.suites import protocols
from prior_bench.suites.suite import Suite, fractions_of, shots_of


def tables_of(suite: Suite) -> list[TableConfig]:
    """Return every table of a suite.

    If the suite runs on other data than its own (:mod:`prior_bench.suites.scale`), a column shows the
    evaluation that replaces its own. Columns without an evaluation are left out, and nothing is compared with
    published numbers.

    Raises:
        BenchError: a table config cannot be used.
    """
    tables = [load_table(name) for name in suite.tables]
    return [_on_its_data(table, suite) for table in tables] if suite.instead_of else tables


def named_table(suite: Suite, name: str) -> TableConfig:
    """Return one of a suite's tables.

    Raises:
        BenchError: the suite has no such table.
    """
    for given, table in zip(suite.tables, tables_of(suite), strict=True):
        if name in (given, table.name):
            return table
    known = ", ".join(suite.tables) or "none"
    raise BenchError(
        f"the suite {suite.name} has no table '{name}'", where=suite.where, fix=f"known: {known}"
    )


def table_of(suite: Suite, found: list[ReportedRun]) -> TableConfig:
    """Return all tables of a suite as one table; a suite without any shows its primary metrics."""
    tables = tables_of(suite)
    if not tables:
        return table_of_entries(suite.name, suite.title, found)
    if len(tables) == 1:
        return tables[0]
    columns = [column for table in tables for column in table.columns]
    title = suite.title or suite.name
    return replace(tables[0], name=suite.name, title=title, columns=columns, suites=[suite.name])


def _on_its_data(table: TableConfig, suite: Suite) -> TableConfig:
    columns = [changed for column in table.columns if (changed := _column_on_its_data(column, suite))]
    title = f"{table.title} – {suite.remark}" if suite.remark else table.title
    return replace(
        table, columns=columns, suites=[suite.name], title=title, notes=[*table.notes, *suite.notes]
    )


def _column_on_its_data(column: Column, suite: Suite) -> Column | None:
    for before, after in zip(suite.instead_of, suite.evaluations, strict=True):
        asked = before["task"] == column.task and before["protocol"] == column.protocol
        if asked and same_data(plain(resolve(before["data"])), column.data) and _has_amount(before, column):
            protocol = protocols.load(after["protocol"], after.get("overrides"))
            return replace(column, data=plain(resolve(after["data"])), protocol=protocol.name, published={})
    return None


def _has_amount(entry: dict[str, Any], column: Column) -> bool:
    """Whether an evaluation has runs with the amount of labels of a column."""
    if column.shots is not None:
        return column.shots in shots_of(entry)
    return any(math.isclose(fraction, column.fraction) for fraction in fractions_of(entry))
