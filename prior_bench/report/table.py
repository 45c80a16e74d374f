"""The comparison table: rows are backbones, columns are metrics of evaluations, cells are means over seeds.

A table config is an mmengine Python config::

    title = "Demo"
    suite = "demo"          # or a list of suites
    rows = "all"            # or names of backbones, in order
    columns = [
        dict(group="CheXpert, linear probe (AUROC)", label="1 %", task="classification",
             data="sample:chexpert", protocol="demo/linear_probe", fraction=0.01, metric="auroc"),
        ...
    ]
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from prior_bench.data.open import resolve
from prior_bench.engine.configs import key_errors, read_config
from prior_bench.engine.store import Store, plain
from prior_bench.errors import BenchError, ErrorList
from prior_bench.report.lookup import Entry, entries, same_data

if TYPE_CHECKING:
    import pandas as pd

BEST, SECOND = "best", "second"


@dataclass(frozen=True)
class Column:
    """A metric of an evaluation, and how it is shown.

    Attributes:
        group, label: heading, in two levels.
        task, data, protocol, fraction: which runs.
        metric: name in their metrics.
        scale: the number shown is ``scale`` times the metric.
        digits: decimals shown.
        higher_is_better: decides what is marked as best.
    """

    group: str
    label: str
    task: str
    data: dict[str, Any]
    protocol: str
    metric: str
    fraction: float = 1.0
    scale: float = 100.0
    digits: int = 1
    higher_is_better: bool = True

    def takes(self, spec: dict[str, Any]) -> bool:
        """Whether a run (its spec as plain types) belongs to this column."""
        return (
            spec["task"] == self.task
            and spec["protocol"]["name"] == self.protocol
            and math.isclose(spec["fraction"], self.fraction)
            and same_data(spec["data"], self.data)
        )


@dataclass
class Cell:
    """What a table says about one row in one column.

    Attributes:
        values: scaled values by seed.
        planned: number of seeds that the suite has for this cell.
        reason: why there is no value; empty where there is one.
        mark: ``"best"``, ``"second"`` or ``""``.
    """

    values: dict[int, float] = field(default_factory=dict)
    planned: int = 0
    reason: str = ""
    mark: str = ""

    @property
    def mean(self) -> float:
        """Mean over the seeds; NaN without values."""
        return mean(self.values.values()) if self.values else math.nan

    @property
    def std(self) -> float:
        """Sample standard deviation over the seeds; NaN for fewer than two."""
        return stdev(self.values.values()) if len(self.values) > 1 else math.nan


@dataclass
class Row:
    """A row: label, one cell per column, and whether it is a trivial predictor."""

    label: str
    cells: list[Cell]
    trivial: bool = False


@dataclass
class Table:
    """A filled table.

    Attributes:
        name, title: from the config.
        columns, rows: as shown.
        notes: sentences that must accompany the numbers (seeds, protocols, marks, synthetic data).
    """

    name: str
    title: str
    columns: list[Column]
    rows: list[Row]
    notes: list[str]

    def frame(self) -> pd.DataFrame:
        """One line per cell: row, column, mean, standard deviation, number of seeds, mark, reason."""
        import pandas as pd

        lines = [
            {
                "backbone": row.label,
                "trivial": row.trivial,
                **{**asdict(column), "data": column.data["name"]},
                "mean": cell.mean,
                "std": cell.std,
                "seeds": len(cell.values),
                "mark": cell.mark,
                "reason": cell.reason,
            }
            for row in self.rows
            for column, cell in zip(self.columns, row.cells, strict=True)
        ]
        return pd.DataFrame(lines)


@dataclass
class TableConfig:
    """A table before it is filled.

    Attributes:
        name: of the config.
        columns: what is shown.
        rows: names of backbones in order, or ``"all"``.
        suites: stores to read.
        title: heading.
    """

    name: str
    columns: list[Column]
    rows: list[str] | str
    suites: list[str]
    title: str


def load_table(name: str) -> TableConfig:
    """A table config by name or path.

    Raises:
        BenchError: no such config.
        ErrorList: unknown or missing keys, unknown data sets.
    """
    values, path = read_config(name, "tables")
    errors = key_errors(values, ("title", "suite", "rows", "columns"), ("columns",), path)
    columns = []
    for i, column in enumerate(values.get("columns", [])):
        known = [f.name for f in fields(Column)]
        required = ("group", "label", "task", "data", "protocol", "metric")
        wrong = key_errors(column, known, required, f"columns[{i}]")
        if not wrong:
            try:
                columns.append(Column(**{**column, "data": plain(resolve(column["data"]))}))
            except BenchError as error:
                wrong = [BenchError(error.what, where=f"columns[{i}].data", fix=error.fix)]
        errors += wrong
    if errors:
        raise ErrorList("the table cannot be used:", errors, where=path)
    suites = values.get("suite", path.stem)
    suites = [suites] if isinstance(suites, str) else list(suites)
    return TableConfig(path.stem, columns, values.get("rows", "all"), suites, values.get("title", path.stem))


def build_table(
    config: TableConfig, stores: Iterable[Store] | None = None, *, trivial: bool = False
) -> Table:
    """Fill a table from stores.

    Args:
        config: what to show.
        stores: where the records are; default, the stores of the config's suites.
        trivial: append rows of predictors that do not look at the image.
    """
    found = entries(stores if stores is not None else [Store.of(suite) for suite in config.suites])
    names = config.rows
    if names == "all":
        names = list(dict.fromkeys(entry.spec["backbone"]["name"] for entry in found))
    belonging = [[e for e in found if column.takes(e.spec)] for column in config.columns]
    rows = []
    for name in names:
        mine = [[e for e in column if e.spec["backbone"]["name"] == name] for column in belonging]
        rows.append(Row(name, [_cell(e, c) for e, c in zip(mine, config.columns, strict=True)]))
    _mark(rows, config.columns)
    if trivial:
        rows += _trivial_rows(belonging, config.columns)
    used = [e for column in belonging for e in column if e.spec["backbone"]["name"] in names]
    return Table(config.name, config.title, config.columns, rows, _notes(config, used))


def _cell(runs: list[Entry], column: Column) -> Cell:
    cell = Cell(planned=len(runs))
    reasons = []
    for run in runs:
        if run.record is None:
            reasons.append(run.reason)
        elif run.record.status == "failed":
            reasons.append(f"failed: {run.record.error.splitlines()[0] if run.record.error else 'unknown'}")
        elif column.metric not in run.record.metrics:
            reasons.append(f"no metric {column.metric}")
        elif not math.isfinite(value := run.record.metrics[column.metric]):
            reasons.append("undefined")
        else:
            cell.values[run.spec["seed"]] = column.scale * value
    if not cell.values:
        cell.reason = reasons[0] if reasons else "not in the suite"
    return cell


def _mark(rows: list[Row], columns: list[Column]) -> None:
    """Mark the best and, among three or more, the second best value of each column, as they are printed.

    Equal printed values share a mark; a column in which all are equal has none.
    """
    for i, column in enumerate(columns):
        sign = 1 if column.higher_is_better else -1
        cells = [row.cells[i] for row in rows if row.cells[i].values]
        shown = sorted({sign * round(cell.mean, column.digits) for cell in cells}, reverse=True)
        for cell in cells:
            place = shown.index(sign * round(cell.mean, column.digits))
            if place == 0 and len(shown) > 1:
                cell.mark = BEST
            elif place == 1 and len(cells) > 2:
                cell.mark = SECOND


def _trivial_rows(belonging: list[list[Entry]], columns: list[Column]) -> list[Row]:
    """One row per predictor that some record reports; its value is the mean over a column's records."""
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


def _notes(config: TableConfig, used: list[Entry]) -> list[str]:
    seeds = sorted({e.spec["seed"] for e in used if e.record})
    notes = []
    if any(e.record and e.record.synthetic for e in used):
        notes.append("Synthetic data: generated phantoms, not patients.")
    if len(seeds) > 1:
        notes.append(f"Mean ± standard deviation over seeds {', '.join(map(str, seeds))}.")
    elif seeds:
        notes.append(f"Seed {seeds[0]} only.")
    scales = {column.scale for column in config.columns}
    if scales == {100.0}:
        notes.append("All values × 100.")
    notes.append(f"Protocols: {', '.join(dict.fromkeys(column.protocol for column in config.columns))}.")
    names = {e.spec["backbone"]["name"] for e in used}
    if len(names) > 1:
        second = ", second best underlined" if len(names) > 2 else ""
        notes.append(f"Best in bold{second}.")
    return notes


def table_of_entries(name: str, title: str, found: list[Entry]) -> TableConfig:
    """A table for a suite that has none: the primary metric of each of its evaluations."""
    columns: dict[tuple, Column] = {}
    for entry in found:
        spec = entry.spec
        metric = (*spec["protocol"]["metrics"], *(entry.record.metrics if entry.record else ()), "")[0]
        group = f"{spec['data']['name']}, {spec['protocol']['name']}"
        key = group, spec["task"], spec["fraction"]
        columns.setdefault(
            key,
            Column(
                group=group,
                label=f"{metric}, {100 * spec['fraction']:g} %",
                task=spec["task"],
                data=spec["data"],
                protocol=spec["protocol"]["name"],
                metric=metric,
                fraction=spec["fraction"],
                scale=1.0 if "rank" in metric else 100.0,
                higher_is_better="rank" not in metric,
            ),
        )
    return TableConfig(name, list(columns.values()), "all", [name], title or name)
