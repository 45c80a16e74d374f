"""Compare two runs or two stores: what is better or worse, by how much, and whether it is significant."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.report.comparing.paired import NotTested, Runs, paired_difference
from prior_bench.report.runs.circumstances import differences
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import (
    FinishedRun,
    ReportedRun,
    finished_runs,
    primary_metric,
    reported_runs,
)
from prior_bench.report.runs.run_text import inline
from prior_bench.report.tables.table import finished
from prior_bench.statistics.significance import LEVEL, Difference, holm
from prior_bench.store.cells import describe, identity
from prior_bench.store.store import Store


@dataclass(frozen=True)
class Line:
    """One comparison.

    Attributes:
        what: metric, or evaluation and metric.
        first, second: the two values.
        tested: the second value minus the first, with its error; None if no test was made.
        reason: reason why no test was made, or "".
        p: p value, corrected for the number of comparisons.
        higher_is_better: whether higher values are better.
    """

    what: str
    first: float
    second: float
    tested: Difference | None
    reason: str
    p: float
    higher_is_better: bool

    @property
    def verdict(self) -> str:
        """The result of the comparison in words."""
        change = self.second - self.first
        if math.isnan(change):
            return "undefined"
        if change == 0 and (self.tested is None or self.tested.error == 0):
            return "equal"
        word = "better" if (change > 0) == self.higher_is_better else "worse"
        if self.tested is None or math.isnan(self.p):
            return f"{word}, not tested: {self.reason}"
        return f"{word}, significant" if self.p < LEVEL else "no significant difference"


def compare_runs(first: ReportedRun, second: ReportedRun) -> list[Line]:
    """Compare every metric of the protocol that both runs have, except values of single classes.

    Raises:
        BenchError: a run failed, or the runs share no metric.
    """
    for run in (first, second):
        if not isinstance(run, FinishedRun):
            raise BenchError("failed, so there is nothing to compare", where=f"run {run.key}")
    assert isinstance(first, FinishedRun) and isinstance(second, FinishedRun)  # for mypy
    scored = first.spec["protocol"]["metrics"]  # a task may report more, which cannot be resampled
    names = [m for m in first.record.metrics if m in scored and m in second.record.metrics]
    if not names or first.spec["task"] != second.spec["task"]:
        tasks = f"{first.spec['task']} and {second.spec['task']}"
        raise BenchError(f"these runs share no metric ({tasks})", where=f"{first.key}, {second.key}")
    return _corrected([_line(name, {0: first}, {0: second}, name) for name in names])


def circumstances_between(first: Store, second: Store) -> list[str]:
    """What the runs of the evaluations that two stores share were computed with, where it differs."""
    one, two = (_evaluations(store) for store in (first, second))
    sides = [
        [run.record for key in side if key in one and key in two for run in side[key].values()]
        for side in (one, two)
    ]
    return differences(*sides)


def compare_stores(first: Store, second: Store) -> tuple[list[Line], list[str]]:
    """Compare the primary metric, averaged over seeds, in every evaluation that both stores have.

    Returns:
        The comparisons, and sentences about evaluations that only one store has.

    Raises:
        BenchError: the stores have no evaluation in common.
    """
    sides = [_evaluations(store) for store in (first, second)]
    shared = [key for key in sides[0] if key in sides[1]]
    if not shared:
        raise BenchError(
            "these stores have no evaluation in common",
            where=f"{first.root}, {second.root}",
            fix="they must share backbone, task, data set, protocol and fraction or shots",
        )
    lines, missing = [], []
    for key in shared:
        what, metric = _words(sides[0][key]), primary_metric(next(iter(sides[0][key].values())).spec)
        one, two = (finished(side[key].values(), metric) for side in sides)
        if seeds := sorted(set(one) & set(two)):
            first_runs, second_runs = ({seed: side[seed] for seed in seeds} for side in (one, two))
            lines.append(_line(f"{what} · {metric}", first_runs, second_runs, metric))
        else:
            missing.append(f"no seed with {metric or 'a metric'} in both: {what}")
    for store, own, other in ((first, sides[0], sides[1]), (second, sides[1], sides[0])):
        missing += [f"only in {store.root.name}: {_words(own[key])}" for key in own if key not in other]
    return _corrected(lines), missing


def spec_differences(first: ReportedRun, second: ReportedRun) -> list[str]:
    """Settings in which two runs differ, such as ``"seed: 0, 1"``, and what they were computed with.

    Nested keys are joined by dots.
    """
    one, two = _flat(first.spec), _flat(second.spec)
    changed = [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]
    lines = [f"{name}: {inline(one.get(name))}, {inline(two.get(name))}" for name in changed]
    return lines + differences(*([run.record] if run.record else [] for run in (first, second)))


def lines_text(lines: Iterable[Line], first: str, second: str) -> str:
    """Format the comparisons as a table."""
    from tabulate import tabulate

    rows = []
    for line in lines:
        interval = ""
        if line.tested and line.tested.error:
            low, high = line.tested.interval
            interval = f"{low:+.3f} to {high:+.3f}"
        p = "" if math.isnan(line.p) else f"{line.p:.3f}" if line.p >= 0.001 else "< 0.001"
        change = f"{line.second - line.first:+.3f}"
        rows.append([line.what, f"{line.first:.3f}", f"{line.second:.3f}", change, interval, p, line.verdict])
    headers = ["", first, second, "difference", "95 % interval", "p (Holm)", "verdict"]
    align = ("left", *["right"] * 5, "left")
    return tabulate(rows, headers, disable_numparse=True, colalign=align)


def _line(what: str, first: Runs, second: Runs, metric: str) -> Line:
    one, two = (
        sum(run.record.metrics.get(metric, math.nan) for run in side.values()) / len(side)
        for side in (first, second)
    )
    tested, reason = None, ""
    try:
        tested = paired_difference(second, first, metric)
    except NotTested as problem:
        reason = str(problem)
    if tested is not None and math.isnan(tested.p):
        reason = "no variation among the test samples"
    p = tested.p if tested else math.nan
    direction = metric_of(next(iter(first.values())), metric)
    return Line(what, one, two, tested, reason, p, direction.higher_is_better)


def _corrected(lines: list[Line]) -> list[Line]:
    corrected = holm([line.p for line in lines])
    return [replace(line, p=float(p)) for line, p in zip(lines, corrected, strict=True)]


def _evaluations(store: Store) -> dict[tuple, dict[int, FinishedRun]]:
    """Group finished runs by everything except the seed, and then by seed."""
    found: dict[tuple, dict[int, FinishedRun]] = {}
    for entry in finished_runs(reported_runs([store])):
        found.setdefault(identity(entry.spec)[:-1], {})[entry.spec["seed"]] = entry
    return found


def _words(runs: dict[int, FinishedRun]) -> str:
    return describe(next(iter(runs.values())).spec).rpartition(" · ")[0]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{prefix}.{name}" if prefix else name)
    return flat
