"""The numbers of a board: values over seeds, intervals, and marks that paired tests support.

Only rows are compared whose numbers were computed again from their predictions, and whose test samples are
the same. All others stand beside them without a mark.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable
from dataclasses import dataclass
from statistics import mean, stdev

from prior_bench.leaderboard.conflicts import test_samples_of
from prior_bench.leaderboard.entries import Board, Contributor
from prior_bench.report.comparing.paired import mean_interval
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.tables.config import Column, as_declared
from prior_bench.report.tables.marks import mark_cells
from prior_bench.report.tables.table import Cell, Row, cell_of, finished
from prior_bench.store.descriptions import of_records

NOTHING_COMPARED = (
    "Nothing is compared here: a comparison needs two rows whose numbers follow from their predictions, and "
    "whose test samples are the same. The order of the rows is alphabetical."
)
COMPARED = "Marks compare only these rows with each other: {rows}."
OTHERS = "Without comparison: {rows}."


@dataclass
class Standing:
    """A row of a board.

    Attributes:
        row: whose numbers.
        runs: its runs by seed.
        cell: scaled values of the primary metric, mark and interval.
        verified: whether the numbers of all seeds were computed again.
        why: why not; empty if they were.
        disputed: whether another bundle contradicts its numbers.
    """

    row: Contributor
    runs: dict[int, FinishedRun]
    cell: Cell
    verified: bool
    why: str
    disputed: bool = False

    def mean_of(self, metric: str) -> float:
        """Return the mean of a metric over the seeds, as records have it; NaN without a finite value."""
        values = [run.record.metrics.get(metric, math.nan) for run in self.runs.values()]
        finite = [value for value in values if math.isfinite(value)]
        return mean(finite) if finite else math.nan

    def deviation_of(self, metric: str) -> float:
        """Return the sample standard deviation of a metric over the seeds; NaN for fewer than two."""
        values = [run.record.metrics.get(metric, math.nan) for run in self.runs.values()]
        finite = [value for value in values if math.isfinite(value)]
        return stdev(finite) if len(finite) > 1 else math.nan


def column_of(board: Board, metric: str = "") -> Column:
    """Return the column of a metric, by default the primary one, with scale and direction as declared."""
    spec, name = board.spec, metric or board.metric
    about = [run.record.about for run in board.all_runs()]
    described = of_records(spec["task"], about).metric(name)
    column = Column(
        group=board.title,
        label=described.heading if described and described.name == name else name,
        task=spec["task"],
        data=spec["data"],
        protocol=spec["protocol"]["name"],
        metric=name,
        fraction=spec["fraction"],
        shots=spec.get("shots"),
    )
    return as_declared([column], board.all_runs())[0][0]


def standings(board: Board, disputed: Container[str] = ()) -> tuple[list[Standing], list[str]]:
    """Return the rows of a board and the sentences that must stand with them.

    Args:
        board: the evaluation.
        disputed: slugs of rows whose numbers contradict others; they are not compared.
    """
    column = column_of(board)
    found = [_standing(row, runs, column) for row, runs in board.entries.items()]
    for standing in found:
        standing.disputed = standing.row.slug in disputed
    notes: list[str] = []
    compared: list[Standing] = []
    groups: dict[object, list[Standing]] = {}
    for standing in found:
        if standing.verified and standing.cell.values and not standing.disputed:
            groups.setdefault(_samples(standing), []).append(standing)
    for group in (group for group in groups.values() if len(group) > 1):
        rows = [Row(one.row.label, [one.cell]) for one in group]
        runs = [[finished(one.runs.values(), column.metric)] for one in group]
        legend = mark_cells(rows, [column], runs).legend
        notes += [COMPARED.format(rows=_listed(group)), *legend]
        compared += group
    if not compared:
        return found, [NOTHING_COMPARED]
    if others := [one for one in found if one not in compared]:
        notes.append(OTHERS.format(rows="; ".join(f"{one.row.label} ({_reason(one)})" for one in others)))
    return found, notes


def verified_metrics(row: Contributor, runs: Iterable[FinishedRun]) -> frozenset[str]:
    """Return the metrics that were computed again with the same value in all of some runs."""
    found = [row.bundle.recomputed[run.key].metrics for run in runs]
    return frozenset.intersection(*found) if found else frozenset()


def _standing(row: Contributor, runs: dict[int, FinishedRun], column: Column) -> Standing:
    cell = cell_of(list(runs.values()), column)
    again = [row.bundle.recomputed[run.key] for run in runs.values()]
    why = next((one.why for one in again if not one.verified), "")
    verified = not why and column.metric in verified_metrics(row, runs.values())
    if verified:
        cell.interval = mean_interval(finished(runs.values(), column.metric), column.metric, column.scale)
    return Standing(row, runs, cell, verified, why or ("" if verified else "not computed again"))


def _samples(standing: Standing) -> frozenset[tuple[str, str, str]]:
    return frozenset(test_samples_of(run) for run in standing.runs.values())


def _reason(standing: Standing) -> str:
    if not standing.cell.values:
        return standing.cell.reason
    return standing.why or ("in conflict" if standing.disputed else "other test samples")


def _listed(group: list[Standing]) -> str:
    return "; ".join(one.row.label for one in group)


def digits_text(value: float, column: Column) -> str:
    """Return a scaled value with the digits of its column; a dash if it is undefined."""
    return f"{value:.{column.digits}f}" if math.isfinite(value) else "–"
