"""What the pages about one run and about two runs show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from prior_bench.browsing.stores import finite
from prior_bench.io.bounded import MIB, is_own_file
from prior_bench.report.comparing.compare import Line, compare_runs, spec_differences
from prior_bench.report.html.attempts import Attempts
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.row_look import colours_of
from prior_bench.report.html.sections.training import training
from prior_bench.report.runs import run_text
from prior_bench.report.runs.reported_runs import FinishedRun, ReportedRun
from prior_bench.store.cells import describe

RESAMPLES = 1000
"""Bootstrap resamples of an interval."""

MOST_TRACEBACK = MIB
"""Bytes of a traceback that are shown."""


@dataclass(frozen=True)
class MetricLine:
    """A metric of a run: its value, its 95 % interval in words or "", the values of trivial predictors."""

    name: str
    value: float | None
    interval: str
    trivial: list[float | None]


def run_context(run: ReportedRun, with_intervals: bool) -> dict[str, Any]:
    """Return the values that the page of a run uses.

    Args:
        run: a run with a record.
        with_intervals: whether intervals are computed, which takes seconds to minutes.
    """
    assert run.record is not None and run.store is not None, "it was found in a store"
    record, parts = run.record, Attempts()
    plots: list[Plot] = []
    bounds: dict[str, tuple[float, float]] = {}
    if isinstance(run, FinishedRun):
        colours = colours_of([record.spec["backbone"]["name"]])
        plots = parts.one("training curves", lambda: training([run], colours), [])
        if with_intervals:
            bounds = parts.one("intervals", lambda: run_text.intervals(run.record, run.store, RESAMPLES), {})
    return {
        "run": run,
        "what": describe(record.spec),
        "record": record,
        "metrics": metric_lines(run, bounds),
        "predictors": list(record.trivial),
        "left_out": run_text.left_out_lines(record),
        "settings": {name: value for name, value in record.spec.items() if name != "protocol"},
        "protocol": record.spec["protocol"],
        "provenance": {name: value for name, value in record.provenance.items() if name != "backbone"},
        "weights": record.provenance.get("backbone", {}),
        "plots": plots,
        "problems": parts.problems,
        "traceback": traceback_of(run),
        "with_intervals": with_intervals,
    }


def metric_lines(run: ReportedRun, bounds: dict[str, tuple[float, float]]) -> list[MetricLine]:
    """All metrics of a run."""
    assert run.record is not None
    lines = []
    for name, value in run.record.metrics.items():
        low, high = bounds.get(name, (math.nan, math.nan))
        interval = f"{low:.3f} to {high:.3f}" if math.isfinite(low) and math.isfinite(high) else ""
        trivial = [finite(values.get(name)) for values in run.record.trivial.values()]
        lines.append(MetricLine(name, finite(value), interval, trivial))
    return lines


def traceback_of(run: ReportedRun) -> str:
    """The end of a failed run's traceback; "" if there is none."""
    assert run.store is not None
    place = run.store.runs / run.key / "traceback.txt"
    if not is_own_file(place):
        return ""
    with open(place, "rb") as file:
        file.seek(max(0, place.stat().st_size - MOST_TRACEBACK))
        return file.read(MOST_TRACEBACK).decode("utf-8", "replace")


def comparison_context(first: ReportedRun, second: ReportedRun) -> dict[str, Any]:
    """Return the values that the page of a comparison uses.

    Raises:
        BenchError: the runs share no metric, or one has failed.
    """
    return {
        "first": first,
        "second": second,
        "titles": (describe(first.spec), describe(second.spec)),
        "lines": [(line, interval_text(line), p_text(line)) for line in compare_runs(first, second)],
        "differences": spec_differences(first, second),
    }


def interval_text(line: Line) -> str:
    """The 95 % interval of a difference, or ""."""
    if line.tested is None or not line.tested.error:
        return ""
    low, high = line.tested.interval
    return f"{low:+.3f} to {high:+.3f}"


def p_text(line: Line) -> str:
    """The corrected p value, or ""."""
    if math.isnan(line.p):
        return ""
    return f"{line.p:.3f}" if line.p >= 0.001 else "< 0.001"
