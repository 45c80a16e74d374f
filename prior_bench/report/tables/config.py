"""Table configs, which define the content of a table before it is filled.

A table config is an mmengine Python config::

    title = "Demo"
    suite = "demo"          # or a list of suites, or "*" for all stores
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
from itertools import product
from typing import Any

from prior_bench.api import Metric
from prior_bench.data.references import resolve
from prior_bench.errors import BenchError, ErrorList
from prior_bench.io.plain import plain
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import ReportedRun, same_data
from prior_bench.schema.arguments import key_errors
from prior_bench.schema.errors import attempted
from prior_bench.schema.reading import read_config
from prior_bench.schema.table import TableFile
from prior_bench.store.cells import Labels, labels_of, labels_text
from prior_bench.store.descriptions import Description, of_records

OF_METRIC = ("scale", "digits", "higher_is_better")
"""Fields of a column that are taken from its metric if the config does not set them."""

AS_DECLARED: Any = None
"""Value of a column's scale, digits or direction that is taken from the metric's declaration."""


@dataclass(frozen=True)
class Column:
    """A column: a metric of an evaluation, and its format.

    Attributes:
        group, label: headings of the upper and the lower level.
        task, data, protocol, fraction: properties of the runs; with published numbers, the protocol may be
            empty.
        metric: name of their metric.
        scale: factor by which values are multiplied. The default of this field and the next two is the
            metric's declaration.
        digits: number of decimals.
        higher_is_better: whether the highest value is the best.
        arrow: whether an arrow in the heading shows the better direction.
        declared: those of scale, digits and higher_is_better that the column leaves to the metric. The
            registered task provides them; for a task that is not installed, :func:`as_declared` uses the
            records.
        published: values that select the published numbers of this column (see
            :class:`prior_bench.report.published.numbers.Published`); empty if there are none.
        compared: whether the declared comparisons of the table are tested in this column.
        shots: training images per class of few-shot runs, in place of a fraction.
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
    compared: bool = True
    shots: int | None = None

    def __post_init__(self):
        left = [name for name in OF_METRIC if getattr(self, name) is AS_DECLARED]
        if left:
            metric = of_records(self.task).metric(self.metric) or Metric(self.metric)
            for name in left:
                object.__setattr__(self, name, getattr(metric, name))
            object.__setattr__(self, "declared", (*self.declared, *left))

    @property
    def full_label(self) -> str:
        """Both levels of the heading in one text."""
        return f"{self.group}: {self.label}" if self.label else self.group

    def takes(self, spec: dict[str, Any]) -> bool:
        """Whether a run belongs to this column, according to its spec (plain types)."""
        return (
            spec["task"] == self.task
            and spec["protocol"]["name"] == self.protocol
            and self.amounts(spec)
            and same_data(spec["data"], self.data)
        )

    def amounts(self, spec: dict[str, Any]) -> bool:
        """Whether a run has this column's amount of labels."""
        if self.shots is not None or spec.get("shots") is not None:
            return spec.get("shots") == self.shots
        return math.isclose(spec["fraction"], self.fraction)


@dataclass
class TableConfig:
    """The configuration of a table.

    Attributes:
        name: name of the config.
        columns: columns of the table.
        rows: names of backbones in order, or ``"all"``.
        suites: names of the suites whose stores are read.
        title: heading.
        notes: sentences that are always printed with the numbers.
        published_names: published method by the name of our backbone, if the two names differ.
        questions: for each, the pairs of rows that are tested; if empty, all pairs of the table.
        intervals: whether a cell of one seed shows an interval by test patient.
    """

    name: str
    columns: list[Column]
    rows: list[str] | str
    suites: list[str]
    title: str
    notes: list[str] = field(default_factory=list)
    published_names: dict[str, str] = field(default_factory=dict)
    questions: list[list[tuple[str, str]]] = field(default_factory=list)
    intervals: bool = False


def load_table(name: str) -> TableConfig:
    """Load a table config by name or path.

    Raises:
        BenchError: the config does not exist, or is a suite.
        ErrorList: keys are unknown or missing, or data sets are unknown.
    """
    values, path = read_config(name, "tables")
    if "backbones" in values and "evaluations" in values:
        fix = f"its table is printed by 'prior-bench run {name}', which runs no finished cell again"
        raise BenchError("is a suite, not a table", where=path, fix=fix)
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
    intervals = values.get("intervals", False)
    return TableConfig(path.stem, columns, rows, suites, title, notes, names, _questions(values), intervals)


def _questions(values: dict[str, Any]) -> list[list[tuple[str, str]]]:
    """The pairs of names of each declared comparison; a pair counts where it is named first."""
    questions, seen = [], set()
    for comparison in values.get("comparisons", ()):
        pairs = []
        for pair in product(comparison["rows"], comparison["against"]):
            if len(set(pair)) == 2 and frozenset(pair) not in seen:
                pairs.append(pair)
                seen.add(frozenset(pair))
        questions.append(pairs)
    return questions


def _column_errors(column: dict[str, Any], where: str) -> list[BenchError]:
    """Return errors in a column's keys that the schema does not find; published numbers need no protocol."""
    from prior_bench.report.published.numbers import COLUMNS

    published = column.get("published", {})
    wrong = key_errors(column, column, () if published else ("protocol",), where)
    if {"shots", "fraction"} <= set(column):
        wrong.append(BenchError("excludes a fraction", where=f"{where}.shots", fix="keep one of the two"))
    return wrong + key_errors(published, COLUMNS, (), f"{where}.published")


def _data_of(column: dict[str, Any]) -> dict[str, Any]:
    """Resolve the data set of a column; a data set that only published numbers use keeps its name."""
    try:
        return plain(resolve(column["data"]))
    except BenchError:
        if not column.get("published"):
            raise
        return {"name": column["data"], "type": column["data"], "root": column["data"]}


def as_declared(columns: Iterable[Column], found: Iterable[ReportedRun]) -> tuple[list[Column], list[str]]:
    """Return the columns with their metrics' declarations, and a sentence that lists undescribed metrics.

    Descriptions come from the task if it is installed, otherwise from the records. A metric without a
    description is shown as a share, with higher assumed to be better.

    Args:
        columns: columns of a config.
        found: runs whose records may contain descriptions.
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
    """Return the table of a suite without one: the primary metric of each of its evaluations."""
    columns: dict[tuple, Column] = {}
    for entry in found:
        spec = entry.spec
        metric = (*spec["protocol"]["metrics"], *(entry.record.metrics if entry.record else ()), "")[0]
        group = f"{spec['data']['name']}, {spec['protocol']['name']}"
        key = group, spec["task"], labels_of(spec)
        columns.setdefault(
            key,
            Column(
                group=group,
                label=_label_of(metric, labels_of(spec), described(spec["task"], [entry])),
                task=spec["task"],
                data=spec["data"],
                protocol=spec["protocol"]["name"],
                metric=metric,
                fraction=spec["fraction"],
                shots=spec.get("shots"),
            ),
        )
    return TableConfig(name, list(columns.values()), "all", [name], title or name)


def _label_of(metric: str, labels: Labels, task: Description) -> str:
    """Return the metric and, for tasks that use labels, the amount of labels."""
    known = task.metric(metric)
    heading = known.heading if known else metric
    return f"{heading}, {labels_text(labels)}" if task.uses_labels else heading
