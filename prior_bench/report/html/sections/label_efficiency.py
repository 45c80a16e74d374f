"""Label efficiency: the primary metric over the share of training labels, or over the images per class."""

from __future__ import annotations

from collections.abc import Callable

from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.series import over_seeds, spread_caption
from prior_bench.report.html.wording import evaluation_title, on_axis
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.reported_runs import FinishedRun, primary_metric
from prior_bench.report.runs.seeds import values_over_seeds
from prior_bench.report.runs.units import unit_of
from prior_bench.store.cells import labels_of, labels_text


def label_efficiency(entries: list[FinishedRun], colours: dict[str, str]) -> Plot | None:
    """Draw the primary metric over the label fraction; return None for a single fraction.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    entries = [entry for entry in entries if entry.spec.get("shots") is None]
    what = "training labels used", "the share of training labels"
    return _curve(entries, colours, what, _drawn)


def shot_curve(entries: list[FinishedRun], colours: dict[str, str]) -> Plot | None:
    """Draw the primary metric over the training images per class; return None without several numbers.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    entries = [entry for entry in entries if entry.spec.get("shots") is not None]
    what = "training images per class", "the number of training images per class"
    return _curve(entries, colours, what, _drawn_per_class)


def _curve(
    entries: list[FinishedRun],
    colours: dict[str, str],
    what: tuple[str, str],
    drawn: Callable[[list[FinishedRun]], str],
) -> Plot | None:
    amounts = sorted({labels_of(entry.spec) for entry in entries})
    if len(amounts) < 2:
        return None
    metric, series = primary_metric(entries[0].spec), []
    for name in colours:
        found = {labels[1]: values_over_seeds(entries, name, metric, labels) for labels in amounts}
        found = {amount: values for amount, values in found.items() if values}
        if found:
            series.append(over_seeds(name, list(found), list(found.values())))
    if not series:
        return None
    title, described = evaluation_title(entries[0].spec), metric_of(entries[0], metric)
    svg = line_plot(
        series,
        x_label=what[0],
        y_label=on_axis(described),
        title=f"{title}: {described.heading} over {what[1]}, by backbone",
        colours=colours,
        x_ticks={labels[1]: labels_text(labels).removesuffix(" per class") for labels in amounts},
        log_x=True,
    )
    return Plot(svg, f"{title}. {drawn(entries)} {spread_caption(series, 'Bands')}")


def _drawn_per_class(entries: list[FinishedRun]) -> str:
    """Describe how the images of each class were drawn, and how many validate."""
    drawn = (entries[0].record.split or {}).get("few_shot") or {}
    by = "patient" if drawn.get("draw", "patients") == "patients" else "image"
    validation = {
        "same_size": "as many validation images per class",
        "full": "the whole validation split",
    }.get(drawn.get("validation", ""), "as many validation images per class, four at most")
    return f"Images are drawn by {by} and are nested within a seed, with {validation}."


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
