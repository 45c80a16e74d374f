"""Values of a metric over the seeds of a row."""

from __future__ import annotations

import math

from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import FinishedRun


def values_over_seeds(entries: list[FinishedRun], name: str, metric: str, fraction: float) -> list[float]:
    """Return a row's finite values of a metric, scaled as the metric declares, one per seed."""
    found = [
        metric_of(e, metric).scale * e.record.metrics.get(metric, math.nan)
        for e in entries
        if e.spec["backbone"]["name"] == name and e.spec["fraction"] == fraction
    ]
    return [value for value in found if math.isfinite(value)]
