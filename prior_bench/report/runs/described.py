"""What the tasks of some runs say of themselves, and of their metrics."""

from __future__ import annotations

from collections.abc import Iterable

from prior_bench.api import Metric
from prior_bench.report.runs.reported_runs import ReportedRun
from prior_bench.store.descriptions import Description, of_records


def described(task: str, found: Iterable[ReportedRun]) -> Description:
    """A task by name, with what its records among ``found`` add."""
    records = (entry.record for entry in found if entry.spec["task"] == task)
    return of_records(task, (record.about for record in records if record is not None))


def metric_of(entry: ReportedRun, name: str) -> Metric:
    """What a metric of a run means; a share of which more is better where nothing is known of it."""
    return described(entry.spec["task"], [entry]).metric(name) or Metric(name)
