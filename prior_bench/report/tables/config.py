"""Table configs: what a table shows, before it is filled.

A table config is an mmengine Python config::

    title = "Demo"
    suite = "demo"          # or a list of suites, or "*" for every store there is
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
from dataclasses import dataclass, field, replace
from typing import Any

from prior_bench.api import Metric
from prior_bench.data.open import resolve
from prior_bench.errors import BenchError, ErrorList
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import ReportedRun, same_data
from prior_bench.schema.arguments import key_errors
from prior_bench.schema.errors import attempted
from prior_bench.schema.reading import read_config
from prior_bench.schema.table import TableFile
from prior_bench.store.descriptions import Description, of_records
from prior_bench.store.store import plain

OF_METRIC = ("scale", "digits", "higher_is_better")
"""The fields of a column that are taken from its metric where the config does not set them."""

AS_DECLARED: Any = None
"""Marks a column's scale, digits or direction as taken from what the metric declares."""


@dataclass(frozen=True)
class Column:
    """A metric of an evaluation, and how it is shown.

    Attributes:
        group, label: heading, in two levels.
        task, data, protocol, fraction: which runs; the protocol may be empty beside published numbers.
        metric: name in their metrics.
        scale: the number shown is ``scale`` times the metric; by default what the metric declares, as the two
            below.
        digits: decimals shown.
        higher_is_better: decides what is marked as best.
        arrow: whether an arrow in the heading shows which numbers are better.
        declared: which of scale, digits and higher_is_better the column leaves to the metric. They are filled
            in from the registered task; :func:`as_declared` asks the records of a task that is not installed.
        published: values of columns of the published numbers that belong here
            (see :class:`prior_bench.report.published.numbers.Published`); empty where there are none.
    """

    group: str
    label: str
    task: str
    data: dict[str, Any]
    protocol: str
    metric: str
    fraction: float = 1.0
    scale: float = AS_DECLARED
    digits: int = AS_DECLARED
    higher_is_better: bool = AS_DECLARED
    arrow: bool = True
    declared: tuple[str, ...] = ()
    published: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        left = [name for name in OF_METRIC if getattr(self, name) is AS_DECLARED]
        if left:
            metric = of_records(self.task).metric(self.metric) or Metric(self.metric)
            for name in left:
                object.__setattr__(self, name, getattr(metric, name))
            object.__setattr__(self, "declared", (*self.declared, *left))

    def takes(self, spec: dict[str, Any]) -> bool:
        """Whether a run belongs to this column, by its spec (plain types)."""
        return (
            spec["task"] == self.task
            and spec["protocol"]["name"] == self.protocol
            and math.isclose(spec["fraction"], self.fraction)
            and same_data(spec["data"], self.data)
        )


@dataclass
class TableConfig:
    """The configuration of a table, before it is filled.

    Attributes:
        name: of the config.
        columns: what is shown.
        rows: names of backbones in order, or ``"all"``.
        suites: stores to read.
        title: heading.
        notes: sentences that are always printed with the numbers.
        published_names: maps the name of a backbone of ours to the published method beside it, where the two
            names differ.
    """

    name: str
    columns: list[Column]
    rows: list[str] | str
    suites: list[str]
    title: str
    notes: list[str] = field(default_factory=list)
    published_names: dict[str, str] = field(default_factory=dict)


def load_table(name: str) -> TableConfig:
    """Load a table config by name or path.

    Raises:
        BenchError: no such config.
        ErrorList: unknown or missing keys, unknown data sets.
    """
    values, path = read_config(name, "tables")
    columns, errors = [], attempted(TableFile, values)[1]
    flawed = {str(error.where).partition(".")[0] for error in errors}
    given = values.get("columns")
    for i, column in enumerate(given if isinstance(given, list | tuple) else ()):
        if f"columns[{i}]" in flawed:
            continue
        wrong = _column_errors(column, f"columns[{i}]")
        if not wrong:
            try:
                columns.append(Column(**{"protocol": "", **column, "data": _data_of(column)}))
            except BenchError as error:
                wrong = [BenchError(error.what, where=f"columns[{i}].data", fix=error.fix)]
        errors += wrong
    if errors:
        raise ErrorList("the table cannot be used:", errors, where=path)
    suites = values.get("suite", path.stem)
    suites = [suites] if isinstance(suites, str) else list(suites)
    rows, title = values.get("rows", "all"), values.get("title", path.stem)
    notes, names = values.get("notes", []), values.get("published_names", {})
    return TableConfig(path.stem, columns, rows, suites, title, notes, names)


def _column_errors(column: dict[str, Any], where: str) -> list[BenchError]:
    """Errors in a column's keys that only this room knows. Published numbers need no protocol of ours."""
    from prior_bench.report.published.numbers import COLUMNS

    published = column.get("published", {})
    wrong = key_errors(column, column, () if published else ("protocol",), where)
    return wrong + key_errors(published, COLUMNS, (), f"{where}.published")


def _data_of(column: dict[str, Any]) -> dict[str, Any]:
    """The column's resolved data set. A data set that only published numbers use keeps its name."""
    try:
        return plain(resolve(column["data"]))
    except BenchError:
        if not column.get("published"):
            raise
        return {"name": column["data"], "type": column["data"], "root": column["data"]}


def as_declared(columns: Iterable[Column], found: Iterable[ReportedRun]) -> tuple[list[Column], list[str]]:
    """The columns with what their metrics declare, and a sentence that lists undescribed metrics.

    The description comes from the task where it is installed, otherwise from the records. A metric without
    one is shown as a share, and higher is taken to be better.

    Args:
        columns: as configured.
        found: runs whose records may hold descriptions.
    """
    columns, found = list(columns), list(found)
    filled: list[Column] = []
    unknown: dict[str, None] = {}
    tasks = {task: described(task, found) for task in {c.task for c in columns if c.declared}}
    for column in columns:
        metric = tasks[column.task].metric(column.metric) if column.declared else None
        if metric is not None:
            column = replace(column, **{name: getattr(metric, name) for name in column.declared})
        elif {"scale", "higher_is_better"} & set(column.declared):
            unknown[f"{column.metric} ({column.task})"] = None
        filled.append(column)
    note = f"Without a description, so shown as shares, with higher taken to be better: {', '.join(unknown)}."
    return filled, [note] if unknown else []


def table_of_entries(name: str, title: str, found: Iterable[ReportedRun]) -> TableConfig:
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
                label=_label_of(metric, spec["fraction"], described(spec["task"], [entry])),
                task=spec["task"],
                data=spec["data"],
                protocol=spec["protocol"]["name"],
                metric=metric,
                fraction=spec["fraction"],
            ),
        )
    return TableConfig(name, list(columns.values()), "all", [name], title or name)


def _label_of(metric: str, fraction: float, task: Description) -> str:
    """The metric, and the share of labels where the task uses any."""
    known = task.metric(metric)
    heading = known.heading if known else metric
    return f"{heading}, {100 * fraction:g} %" if task.uses_labels else heading
