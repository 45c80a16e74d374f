"""Values of a metric over the seeds of a row."""

from __future__ import annotations

import math

from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.store.cells import Labels, labels_of


def values_over_seeds(entries: list[FinishedRun], name: str, metric: str, labels: Labels) -> list[float]:
    """Return a row's finite values of a metric with an amount of labels, scaled as declared, one per seed."""
    found = [
        metric_of(e, metric).scale * e.record.metrics.get(metric, math.nan)
        for e in entries
        if e.spec["backbone"]["name"] == name and labels_of(e.spec) == labels
    ]
    return [value for value in found if math.isfinite(value)]
