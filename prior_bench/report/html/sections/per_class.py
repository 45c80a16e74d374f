"""Values per class: AUROC with 95 % intervals where predictions are stored, otherwise means over seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import mean, variance

import numpy as np

from prior_bench.api import Metric
from prior_bench.api.metrics import PART
from prior_bench.report.html.figures.dot_plot import dot_plot
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.series import Series, over_seeds, spread_caption
from prior_bench.report.html.sortable import SortableTable, Value, number, words
from prior_bench.report.html.wording import NO_BREAK, amount_of_labels, evaluation_title, on_axis
from prior_bench.report.runs.class_scores import ClassScores, names_of
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.seeds import values_over_seeds
from prior_bench.report.runs.selection import most_labels
from prior_bench.report.runs.units import unit_of
from prior_bench.store.cells import labels_of
from prior_bench.store.descriptions import Description

NORMAL = 1.96
"""Half the width of a 95 % interval, in standard errors."""

Interval = tuple[float, float]
"""Centre and half width of an interval."""


@dataclass
class PerClass:
    """A figure, and a table of its values if there are intervals."""

    plot: Plot
    table: SortableTable | None = None


def per_class(
    entries: list[FinishedRun], scores: list[ClassScores], colours: dict[str, str]
) -> PerClass | None:
    """Return values per class for the largest label fraction; None if there are none.

    Args:
        entries: finished runs of one task, data set and protocol.
        scores: class scores of the same runs, if they are stored.
        colours: colours of all rows, in their order.
    """
    entries = most_labels(entries)
    task = described(entries[0].spec["task"], entries)
    metric = _by_class(entries, task)
    if metric is None:
        return None
    classes = list(dict.fromkeys(name for entry in entries for name in _classes(entry, metric.name)))
    labels = labels_of(entries[0].spec)
    title = evaluation_title(entries[0].spec)
    if task.uses_labels:
        title += f", {amount_of_labels(labels)}"
    if metric.error == "delong" and len(scores) == len(entries):
        found = {
            name: [auroc_interval([one for one in scores if one.name == name], label) for label in classes]
            for name in names_of(scores)
        }
        series = [_series(name, intervals) for name, intervals in found.items()]
        seeds = len({one.seed for one in scores})
        also = " and the variance between the seeds" if seeds > 1 else " (one seed)"
        units = f"test {unit_of(entries[0])}s"
        bars = f"Bars show 95{NO_BREAK}% intervals, from DeLong's variance over the {units}{also}."
        table = _table(f"{on_axis(metric)} [95 % interval], {title}", classes, found)
    else:
        values = {
            n: [values_over_seeds(entries, n, f"{metric.name}/{c}", labels) for c in classes] for n in colours
        }
        series = [over_seeds(n, [0.0] * len(classes), v) for n, v in values.items() if any(v)]
        bars, table = spread_caption(series, "Bars"), None
    svg = dot_plot(
        classes,
        series,
        x_label=on_axis(metric),
        title=f"{title}: {metric.heading} of each class, by backbone",
        colours=colours,
        reference=None if metric.chance is None else metric.scale * metric.chance,
        limits=_limits(metric),
    )
    return PerClass(Plot(svg, f"{title}. {bars}"), table)


def auroc_interval(scores: list[ClassScores], label: str) -> Interval:
    """Compute the mean AUROC over a row's seeds, and half the width of its 95 % interval; NaN if undefined.

    The variances of the test patients (DeLong, of the mean over seeds) and of the seeds are added up, as in
    the tests of the comparison (docs/statistics.md).
    """
    from sklearn.metrics import roc_auc_score

    from prior_bench.statistics.delong import contributions, standard_error

    runs = [(one, known) for one in scores if (known := one.of(label)) is not None]
    areas = [float(roc_auc_score(*known)) for _, known in runs]
    if not areas:
        return math.nan, math.nan
    patients = runs[0][0].patient
    if any(not np.array_equal(one.patient, patients) for one, _ in runs):
        return mean(areas), math.nan  # other test images by seed: no mean contribution
    columns = [(one, one.classes.index(label)) for one, _ in runs]
    shares = [contributions(one.score[:, [c]], one.target[:, [c]]) for one, c in columns]
    between = variance(areas) / len(areas) if len(areas) > 1 else 0.0
    return mean(areas), NORMAL * math.sqrt(standard_error(np.mean(shares, axis=0), patients) ** 2 + between)


def _series(name: str, found: list[Interval]) -> Series:
    middle, half = zip(*found, strict=True)
    return Series(name, [0.0] * len(found), [100 * v for v in middle], [100 * h for h in half])


def _table(caption: str, classes: list[str], found: dict[str, list[Interval]]) -> SortableTable:
    rows = [[words(name), *(_cell(*interval) for interval in mine)] for name, mine in found.items()]
    return SortableTable(caption, ["Backbone", *classes], rows)


def _cell(value: float, half: float) -> Value:
    value, half = 100 * value, 100 * half
    if not math.isfinite(half):
        return number(value)
    low, high = max(value - half, 0), min(value + half, 100)
    return number(value, text=f"{value:.1f} [{low:.1f}, {high:.1f}]")


def _by_class(entries: list[FinishedRun], task: Description) -> Metric | None:
    """Choose the metric whose values per class are shown: one with DeLong's intervals, or the first."""
    recorded = dict.fromkeys(name.partition(PART)[0] for e in entries for name in e.record.metrics)
    metrics = [m for name in recorded if (m := task.metric(name)) is not None and m.parts == "class"]
    metrics = [m for m in metrics if any(_classes(e, m.name) for e in entries)]
    return min(metrics, key=lambda m: m.error != "delong", default=None)


def _limits(metric: Metric) -> tuple[float, float]:
    low, high = metric.bounds
    return (
        -math.inf if low is None else metric.scale * low,
        math.inf if high is None else metric.scale * high,
    )


def _classes(entry: FinishedRun, metric: str) -> list[str]:
    prefix = f"{metric}/"
    return [name.removeprefix(prefix) for name in entry.record.metrics if name.startswith(prefix)]
