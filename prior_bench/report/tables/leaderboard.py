"""The leaderboard: the primary metric of all evaluations in some stores, sorted by mean rank."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import finished_runs, reported_runs
from prior_bench.report.tables.table import Cell, Column, Row, Table, build_table, table_of_entries
from prior_bench.store.store import Store


def leaderboard(stores: Iterable[Store], *, test: bool = True) -> Table:
    """Return a table of every backbone in every evaluation of some stores whose task is ranked.

    The first column is the mean rank over the evaluations that a backbone has, the second is their number.
    Rows are sorted by that mean, then by the number of evaluations (more first), then by name.

    Raises:
        BenchError: the stores have no finished run.
    """
    stores = list(stores)
    done = finished_runs(reported_runs(stores))
    ranked = {task: described(task, done).ranked for task in {e.spec["task"] for e in done}}
    found = [entry for entry in done if ranked[entry.spec["task"]]]
    if not found:
        places = ", ".join(str(store.root) for store in stores)
        raise BenchError("there is no finished run", where=places or None, fix="prior-bench run demo")
    config = table_of_entries("leaderboard", "Leaderboard", found)
    config.rows = sorted({entry.spec["backbone"]["name"] for entry in found})
    table = build_table(config, stores, test=test)
    ranks = [_ranks(table.rows, c, column) for c, column in enumerate(table.columns)]
    rows = []
    for r, row in enumerate(table.rows):
        own = [column[r] for column in ranks if r in column]
        values = {0: sum(own) / len(own)} if own else {}
        rows.append(Row(row.label, [Cell(values), Cell({0: float(len(own))}), *row.cells]))
    rows.sort(key=lambda row: (row.cells[0].mean if row.cells[0].values else math.inf, -row.cells[1].mean))
    shared: dict[str, Any] = dict(task="", data={"name": ""}, protocol="", scale=1.0)  # of no evaluation
    summary = [
        Column(**shared, group="Rank", label="mean", metric="rank", digits=2, higher_is_better=False),
        Column(
            **shared,
            group="Rank",
            label="evaluations",
            metric="evaluations",
            digits=0,
            higher_is_better=True,
            arrow=False,
        ),
    ]
    note = (
        "Mean rank over the evaluations of a backbone; comparable only between equal numbers of evaluations."
    )
    return Table(table.name, table.title, summary + table.columns, rows, [note, *table.notes])


def _ranks(rows: list[Row], c: int, column: Column) -> dict[int, float]:
    """Return the rank of each row with a value in the column; 1 is best, and ties share their mean rank."""
    from scipy.stats import rankdata

    filled = [r for r, row in enumerate(rows) if row.cells[c].values]
    sign = -1 if column.higher_is_better else 1
    return dict(zip(filled, rankdata([sign * rows[r].cells[c].mean for r in filled]), strict=True))
