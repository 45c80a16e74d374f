"""Compute the numbers of a record again, by the registered task, from predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from prior_bench.api import RunRecord, Task, version_of
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.report.runs.unfit import fitting
from prior_bench.store.exchange import TOLERANCE

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Recomputed:
    """What came of it.

    Attributes:
        metrics: names of the metrics that were computed again with the same value.
        why: why the record is not verified; empty if it is.
        problems: what is wrong: another value, or predictions that do not fit the task.
    """

    metrics: frozenset[str] = frozenset()
    why: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Whether the numbers of the record follow from its predictions."""
        return not self.why and bool(self.metrics)


def recompute(record: RunRecord, arrays: Mapping[str, np.ndarray]) -> Recomputed:
    """Compute all metrics of the record's protocol from predictions, and compare them.

    The task is looked up among the registered ones; a record names no code.
    """
    name = record.spec["task"]
    registered = TASKS.registered(name)
    if registered is None:
        return Recomputed(why=f"the task '{name}' is not installed here")
    task: Task = registered()
    if why := _other_version(record, task):
        return Recomputed(why=why)
    wanted = tuple(record.spec["protocol"]["metrics"])
    try:
        with fitting(record.key, "its predictions do not fit the task"):
            found = {k: float(v) for k, v in task.score(dict(arrays), wanted).items()}
    except BenchError as error:
        return Recomputed(why="predictions that do not fit", problems=[error.what])
    same, problems = set(), []
    for metric, value in record.metrics.items():
        if metric not in found:
            continue  # a count, for example, which is no metric of the protocol
        if equal(found[metric], value):
            same.add(metric)
        else:
            problems.append(f"metrics.{metric}: is {value:.6g}; its predictions give {found[metric]:.6g}")
    lacking = [metric for metric in wanted if metric in record.metrics and metric not in found]
    if problems:
        return Recomputed(frozenset(same), "other values", problems)
    if lacking:
        return Recomputed(frozenset(same), f"not computed again: {', '.join(lacking)}")
    return Recomputed(frozenset(same), "" if same else "nothing of it can be computed again")


def equal(one: float, other: float) -> bool:
    """Whether two values are the same on machines that round differently; NaN equals NaN."""
    return abs(one - other) <= TOLERANCE or (math.isnan(one) and math.isnan(other))


def _other_version(record: RunRecord, task: Task) -> str:
    """Return which part of the task has another version than when the record was made."""
    declared = record.provenance.get("declared_versions") or {}
    today = {"task": version_of(task, record.spec["task"])}
    for name in record.spec["protocol"]["metrics"]:
        metric = getattr(task, "metrics", {}).get(name)
        today[f"metric {name}"] = version_of(metric, f"metric {name}")
    for part, version in today.items():
        if declared.get(part, 1) != version:
            return f"made with version {declared.get(part, 1)} of {part}; here it is {version}"
    return ""
