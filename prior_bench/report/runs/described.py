"""Descriptions of the tasks and metrics of some runs."""

from __future__ import annotations

from collections.abc import Iterable

from prior_bench.api import Metric
from prior_bench.report.runs.reported_runs import ReportedRun
from prior_bench.store.descriptions import Description, of_records


def described(task: str, found: Iterable[ReportedRun]) -> Description:
    """Return the description of a task, completed from its records among ``found``."""
    records = (entry.record for entry in found if entry.spec["task"] == task)
    return of_records(task, (record.about for record in records if record is not None))


def metric_of(entry: ReportedRun, name: str) -> Metric:
    """Return the description of a run's metric; without one, it is a share and higher is better."""
    return described(entry.spec["task"], [entry]).metric(name) or Metric(name)
