"""Robustness: a metric over the severity of each corruption of the test images; 0 is clean."""

from __future__ import annotations

from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.plot import Multiples, Plot
from prior_bench.report.html.figures.series import Series, over_seeds, spread_caption
from prior_bench.report.html.wording import evaluation_title, on_axis
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import FinishedRun, primary_metric
from prior_bench.report.runs.seeds import values_over_seeds
from prior_bench.report.runs.selection import most_labels
from prior_bench.store.cells import labels_of

MARK = "_corrupted/"
"""Separator between the metric and ``<corruption>_<severity>`` in the name of a corrupted metric."""

SIZE = (2.5, 2.1)
"""Size of a panel in inches: small, so that its text is readable with two side by side on a phone."""


def robustness(entries: list[FinishedRun], colours: dict[str, str]) -> Multiples | None:
    """Draw one panel per corruption, with a line per row, for the largest label fraction; None without any.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    entries = most_labels(entries)
    recorded = dict.fromkeys(name for entry in entries for name in entry.record.metrics)
    drawable = dict.fromkeys(name.partition(MARK)[0] for name in recorded if MARK in name)
    if not drawable:
        return None
    primary = primary_metric(entries[0].spec)
    metric = primary if primary in drawable else next(iter(drawable))
    title, described = evaluation_title(entries[0].spec), metric_of(entries[0], metric)
    names = [name for name in colours if any(e.spec["backbone"]["name"] == name for e in entries)]
    found = Multiples(f"{title}, {on_axis(described)}", names)
    drawn: list[Series] = []
    for corruption, severities in _corruptions(recorded, metric).items():
        what = corruption.replace("_", " ")
        places = {0: metric} | {s: f"{metric}{MARK}{corruption}_{s}" for s in severities}
        series = [_line(entries, name, places) for name in names]
        svg = line_plot(
            series,
            x_label=f"severity of {what}",
            y_label=on_axis(described),
            title=f"{title}: {described.heading} over the severity of {what}, by backbone",
            colours=colours,
            x_ticks={severity: str(severity) for severity in places},
            size=SIZE,
        )
        drawn += series
        found.plots.append(Plot(svg, what.capitalize()))
    found.note = spread_caption(drawn, "Bands")
    return found


def _corruptions(recorded: dict[str, None], metric: str) -> dict[str, list[int]]:
    """Return the sorted severities of each corruption."""
    found: dict[str, list[int]] = {}
    for name in recorded:
        corruption, _, severity = name.removeprefix(metric + MARK).rpartition("_")
        if name.startswith(metric + MARK) and corruption and severity.isdecimal():
            found.setdefault(corruption, []).append(int(severity))
    return {corruption: sorted(severities) for corruption, severities in found.items()}


def _line(entries: list[FinishedRun], name: str, places: dict[int, str]) -> Series:
    labels = labels_of(entries[0].spec)
    values = {s: values_over_seeds(entries, name, metric, labels) for s, metric in places.items()}
    return over_seeds(name, list(values), list(values.values()))
