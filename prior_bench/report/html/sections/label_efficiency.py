"""Label efficiency: the primary metric over the share of training labels."""

from __future__ import annotations

from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.series import over_seeds, spread_caption
from prior_bench.report.html.wording import evaluation_title, on_axis
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import FinishedRun, primary_metric
from prior_bench.report.runs.seeds import values_over_seeds
from prior_bench.report.runs.units import unit_of


def label_efficiency(entries: list[FinishedRun], colours: dict[str, str]) -> Plot | None:
    """Draw the primary metric over the label fraction; return None for a single fraction.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    fractions = sorted({entry.spec["fraction"] for entry in entries})
    metric = primary_metric(entries[0].spec)
    if len(fractions) < 2:
        return None
    series = []
    for name in colours:
        found = {f: values_over_seeds(entries, name, metric, f) for f in fractions}
        found = {f: values for f, values in found.items() if values}
        if found:
            series.append(over_seeds(name, list(found), list(found.values())))
    if not series:
        return None
    title, described = evaluation_title(entries[0].spec), metric_of(entries[0], metric)
    svg = line_plot(
        series,
        x_label="training labels used",
        y_label=on_axis(described),
        title=f"{title}: {described.heading} over the share of training labels, by backbone",
        colours=colours,
        x_ticks={fraction: f"{100 * fraction:g} %" for fraction in fractions},
        log_x=True,
    )
    return Plot(svg, f"{title}. {_drawn(entries)} {spread_caption(series, 'Bands')}")


def _drawn(entries: list[FinishedRun]) -> str:
    """Describe how the subsets were drawn, which depends on the protocol and on the data."""
    sampler = entries[0].spec["protocol"].get("fraction_sampler") or {}
    by = sampler.get("by", "patient_id")
    if by == "patient_id":
        return f"Subsets are drawn by {unit_of(entries[0])} and are nested within a seed."
    return (
        "Subsets are drawn by image and are nested within a seed."
        if by == "id"
        else f"Subsets are drawn by '{by}'."
    )
