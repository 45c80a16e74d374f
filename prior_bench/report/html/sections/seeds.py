"""Values of a metric over the seeds of a row."""

from __future__ import annotations

import math
from statistics import mean, stdev

from prior_bench.report.html.figures.plots import Series
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.planned_runs import ReportedRun


def values_over_seeds(entries: list[ReportedRun], name: str, metric: str, fraction: float) -> list[float]:
    """A row's finite values of a metric, scaled as it declares, one per seed."""
    found = [
        metric_of(e, metric).scale * e.record.metrics.get(metric, math.nan)
        for e in entries
        if e.spec["backbone"]["name"] == name and e.spec["fraction"] == fraction
    ]
    return [value for value in found if math.isfinite(value)]


def series_over_seeds(name: str, x: list[float], values: list[list[float]]) -> Series:
    """Means and standard deviations of the values at each position; NaN where there are too few."""
    centre = [mean(v) if v else math.nan for v in values]
    spread = [stdev(v) if len(v) > 1 else math.nan for v in values]
    return Series(name, x, centre, spread)
