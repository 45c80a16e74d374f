"""The comparison table: backbones by metrics of evaluations, with means over seeds in its cells."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.protocol_parity.statements import verified_count
from prior_bench.report.comparing.paired import Runs
from prior_bench.report.runs.circumstances import mixture_note
from prior_bench.report.runs.reported_runs import ReportedRun, finished_runs, reported_runs, stores_of
from prior_bench.report.tables.config import (
    Column,
    TableConfig,
    as_declared,
    load_table,
    table_of_entries,
)
from prior_bench.report.tables.intervals import set_intervals
from prior_bench.report.tables.marks import Outcome, mark_cells
from prior_bench.store.store import Store

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Cell",
    "Column",
    "Row",
    "Table",
    "TableConfig",
    "build_table",
    "cell_of",
    "finished",
    "load_table",
    "notes_of",
    "table_of_entries",
]


@dataclass
class Cell:
    """The content of a table for one row and one column.

    Attributes:
        values: scaled values by seed.
        planned: number of seeds of this cell in the suite.
        reason: why there is no value; empty if there is one.
        mark: one of those in :mod:`prior_bench.report.tables.marks`, or ``""``.
        interval: (lower, upper) of a 95 % interval to print, or None.
        signed: whether the value is a difference, which is printed with its sign.
    """

    values: dict[int, float] = field(default_factory=dict)
    planned: int = 0
    reason: str = ""
    mark: str = ""
    interval: tuple[float, float] | None = None
    signed: bool = False

    @property
    def mean(self) -> float:
        """The mean over the seeds; NaN without values."""
        return mean(self.values.values()) if self.values else math.nan

    @property
    def std(self) -> float:
        """The sample standard deviation over the seeds; NaN for fewer than two."""
        return stdev(self.values.values()) if len(self.values) > 1 else math.nan

    @property
    def constant(self) -> bool:
        """Whether several seeds gave one value, as fixed weights do where a task draws nothing."""
        return len(self.values) > 1 and len(set(self.values.values())) == 1


@dataclass
class Row:
    """A row: its label, one cell per column, and whether it is a trivial predictor."""

    label: str
    cells: list[Cell]
    trivial: bool = False


@dataclass
class Table:
    """A filled table.

    Attributes:
        name, title: name and title from the config.
        columns, rows: columns and rows in the order of display.
        notes: sentences that must accompany the numbers (seeds, protocols, marks, synthetic data).
        outcomes: results of the declared comparisons; empty if all pairs were tested.
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[Row]
    notes: list[str]
    outcomes: list[Outcome] = field(default_factory=list)

    def frame(self) -> pd.DataFrame:
        """Return one line per cell: row, column, mean, deviation, number of seeds, interval, mark, reason."""
        import pandas as pd

        lines = [
            {
                "backbone": row.label,
                "trivial": row.trivial,
                **_identifying(column),
                "data": column.data["name"],
                "mean": cell.mean,
                "std": cell.std,
                "seeds": len(cell.values),
                "lower": cell.interval[0] if cell.interval else math.nan,
                "upper": cell.interval[1] if cell.interval else math.nan,
                "mark": cell.mark,
                "reason": cell.reason,
            }
            for row in self.rows
            for column, cell in zip(self.columns, row.cells, strict=True)
        ]
        return pd.DataFrame(lines)


def _identifying(column: Column) -> dict[str, Any]:
    return {
        name: value
        for name, value in asdict(column).items()
        if name not in ("published", "arrow", "declared")
    }


def build_table(
    config: TableConfig, stores: Iterable[Store] | None = None, *, trivial: bool = False, test: bool = True
) -> Table:
    """Fill a table from stores.

    Args:
        config: the table config.
        stores: stores with the records; by default those of the config's suites.
        trivial: whether to append rows of predictors that do not look at the image.
        test: whether to make the paired tests; without them, nothing is bold.

    Raises:
        BenchError: the config asks for all rows, but the stores have no runs.
    """
    stores = list(stores) if stores is not None else stores_of(config.suites)
    found = reported_runs(stores)
    names = config.rows
    if names == "all":
        names = list(dict.fromkeys(entry.spec["backbone"]["name"] for entry in found))
    if not names:
        places = ", ".join(str(store.root) for store in stores) or paths.results_root()
        raise BenchError("there is no run to show", where=places, fix="prior-bench run SUITE")
    columns, unknown = as_declared(config.columns, found)
    belonging = [[e for e in found if column.takes(e.spec)] for column in columns]
    rows, runs = [], []
    for name in names:
        mine = [[e for e in column if e.spec["backbone"]["name"] == name] for column in belonging]
        rows.append(Row(name, [cell_of(e, c) for e, c in zip(mine, columns, strict=True)]))
        runs.append([finished(e, c.metric) for e, c in zip(mine, columns, strict=True)])
    marked = mark_cells(rows, columns, runs, test=test, questions=config.questions)
    legend = marked.legend
    if config.intervals:
        legend += set_intervals(rows, columns, runs)
    if trivial and (added := _trivial_rows(belonging, columns)):
        rows += added
        legend.append("Rows in italics: predictors that do not look at the image; they are not tested.")
    if any(cell.constant for row in rows for cell in row.cells):
        legend.append(
            "Without ±: every seed gave the same value, because the weights are fixed and nothing was drawn."
        )
    used = [e for column in belonging for e in column if e.spec["backbone"]["name"] in names]
    notes = [*notes_of(replace(config, columns=columns), used), *unknown, *legend]
    return Table(config.name, config.title, columns, rows, notes, marked.outcomes)


def finished(runs: Iterable[ReportedRun], metric: str) -> Runs:
    """Return the runs with a value of the metric, by seed."""
    return {
        run.spec["seed"]: run
        for run in finished_runs(runs)
        if math.isfinite(run.record.metrics.get(metric, math.nan))
    }


def cell_of(runs: list[ReportedRun], column: Column) -> Cell:
    """Return the values of some runs in a column, or the reason why there are none."""
    cell = Cell(planned=len({run.spec["seed"] for run in runs}))  # several stores may contain the same run
    reasons = []
    for run in runs:
        if run.record is None:
            reasons.append(run.reason)
        elif run.record.status == "failed":
            reasons.append(f"failed: {run.record.error.splitlines()[0] if run.record.error else 'unknown'}")
        elif column.metric not in run.record.metrics:
            why = run.record.undefined.get(column.metric.partition("/")[0])
            reasons.append(f"undefined: {why}" if why else f"no metric {column.metric}")
        elif not math.isfinite(value := run.record.metrics[column.metric]):
            reasons.append("undefined")
        else:
            cell.values[run.spec["seed"]] = column.scale * value
    if not cell.values:
        cell.reason = reasons[0] if reasons else "not in the suite"
    return cell


def _trivial_rows(belonging: list[list[ReportedRun]], columns: list[Column]) -> list[Row]:
    """Return one row per trivial predictor in the records, with means over the records of each column."""
    records = [[e.record for e in column if e.record and e.record.trivial] for column in belonging]
    rows = []
    for name in dict.fromkeys(name for column in records for record in column for name in record.trivial):
        cells = []
        for column, found in zip(columns, records, strict=True):
            values = [r.trivial.get(name, {}).get(column.metric, math.nan) for r in found]
            finite = [column.scale * value for value in values if math.isfinite(value)]
            cells.append(Cell({0: mean(finite)} if finite else {}, reason="" if finite else "–"))
        if any(cell.values for cell in cells):
            rows.append(Row(name.replace("_", " "), cells, trivial=True))
    return rows


def notes_of(config: TableConfig, used: list[ReportedRun]) -> list[str]:
    """Return sentences that must accompany the values: synthetic data, seeds, scale, protocols, leakage."""
    seeds = sorted({e.spec["seed"] for e in used if e.record and e.record.status == "done"})
    notes = []
    if any(e.record and e.record.synthetic for e in used):
        notes.append("Synthetic data: generated phantoms, not patients.")
    notes += config.notes
    if len(seeds) > 1:
        notes.append(f"Mean ± standard deviation over seeds {', '.join(map(str, seeds))}.")
    elif seeds:
        notes.append(f"Seed {seeds[0]} only.")
    notes += _scale_notes(config.columns)
    protocols = [column.protocol for column in config.columns] + [e.spec["protocol"]["name"] for e in used]
    if named := dict.fromkeys(name for name in protocols if name):
        notes.append(f"Protocols: {', '.join(named)}.")
    notes += _parity_notes(list(named))
    notes += mixture_note(run.record for run in finished_runs(used))
    return notes + _leakage_notes(used)


def _parity_notes(names: list[str]) -> list[str]:
    """Return a sentence on the ingredients of the papers' protocols that equal the papers' code."""
    counts = {name: verified_count(name) for name in names}
    stated = [f"{name} {count[0]} of {count[1]}" for name, count in counts.items() if count]
    return [f"Ingredients verified against the paper's code: {', '.join(stated)}."] if stated else []


def _scale_notes(columns: list[Column]) -> list[str]:
    """Return a sentence on the columns that show shares as percentages."""
    shares = [column for column in columns if column.scale == 100]
    if not shares:
        return []
    others = dict.fromkeys(column.full_label for column in columns if column.scale != 100)
    return [f"Values × 100, except {'; '.join(others)}." if others else "All values × 100."]


def _leakage_notes(used: list[ReportedRun]) -> list[str]:
    """Return a sentence per row and data set whose test patients were, or may have been, used in training."""
    clauses = {
        f"Leakage: {e.spec['backbone']['name']} on {e.spec['data']['name']}: {clause}."
        for e in used
        if e.record
        for clause in e.record.provenance.get("leakage", ())
    }
    return sorted(clauses)
