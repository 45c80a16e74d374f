"""The figures of a report: label efficiency, per-class values, training curves."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from prior_bench.report.html.figures import PALETTE, Series, dot_plot, line_plot
from prior_bench.report.lookup import Entry

TIMES = ("epoch", "iteration", "iter", "step")
"""Keys of a history entry that say when it was taken, the preferred one first."""

PER_CLASS = ("auroc", "accuracy")
"""Metrics whose values per class are shown."""


@dataclass
class Plot:
    """A figure: ``<svg>`` text and a caption."""

    svg: str
    caption: str


def colours_of(names: list[str]) -> dict[str, str]:
    """One colour per backbone, the same in every figure."""
    return {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(names)}


def label_efficiency(entries: list[Entry], colours: dict[str, str]) -> Plot | None:
    """The primary metric over the label fraction; None for a single fraction.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    fractions = sorted({entry.spec["fraction"] for entry in entries})
    metric = primary_metric(entries[0].spec)
    if len(fractions) < 2:
        return None
    series = []
    for name in colours:
        found = {f: _values(entries, name, metric, f) for f in fractions}
        found = {f: values for f, values in found.items() if values}
        if found:
            series.append(_series(name, list(found), list(found.values())))
    if not series:
        return None
    title = evaluation_title(entries[0].spec)
    svg = line_plot(
        series,
        x_label="training labels used",
        y_label=f"{shown(metric)} × 100",
        alt=f"{title}: {shown(metric)} over the share of training labels, by backbone",
        colours=colours,
        x_ticks={fraction: f"{100 * fraction:g} %" for fraction in fractions},
        log_x=True,
    )
    return Plot(svg, f"{title}. Bands: one standard deviation over seeds.")


def per_class(entries: list[Entry], colours: dict[str, str]) -> Plot | None:
    """Values per class with the most labels; None where there are none."""
    fraction = max(entry.spec["fraction"] for entry in entries)
    entries = [entry for entry in entries if entry.spec["fraction"] == fraction]
    metric = next((m for m in PER_CLASS if any(_classes(e, m) for e in entries)), None)
    if metric is None:
        return None
    classes = list(dict.fromkeys(name for entry in entries for name in _classes(entry, metric)))
    series = []
    for name in colours:
        values = [_values(entries, name, f"{metric}/{label}", fraction) for label in classes]
        if any(values):
            series.append(_series(name, [0.0] * len(classes), values))
    title = f"{evaluation_title(entries[0].spec)}, {100 * fraction:g} % of the labels"
    svg = dot_plot(
        classes,
        series,
        x_label=f"{shown(metric)} × 100",
        alt=f"{title}: {shown(metric)} of each class, by backbone",
        colours=colours,
        reference=50 if metric == "auroc" else None,
        limits=(0, 100),
    )
    return Plot(svg, f"{title}. Bars: one standard deviation over seeds.")


def pretraining(entries: list[Entry], colours: dict[str, str]) -> Plot | None:
    """Loss over the epochs of pre-training, mean over seeds; read beside the checkpoints."""
    series = []
    for name in colours:
        mine = {e.record.provenance.get("identity"): e for e in entries if e.spec["backbone"]["name"] == name}
        histories = [h for h in map(_pretraining_history, mine.values()) if h]
        if histories:
            length = min(len(h) for h in histories)
            losses = [[h[i]["loss"] for h in histories] for i in range(length)]
            series.append(_series(name, [h["epoch"] for h in histories[0][:length]], losses))
    if not series:
        return None
    alt = "Pre-training loss over epochs, by backbone"
    svg = line_plot(series, x_label="epoch", y_label="pre-training loss", alt=alt, colours=colours)
    return Plot(svg, "Pre-training loss. Bands: one standard deviation over seeds.")


def training(entries: list[Entry], colours: dict[str, str]) -> list[Plot]:
    """What was logged while heads, decoders and detectors were trained, a figure per quantity.

    The first seed with the most labels is shown.
    """
    fraction = max(entry.spec["fraction"] for entry in entries)
    seed = min(entry.spec["seed"] for entry in entries)
    chosen = [e for e in entries if (e.spec["fraction"], e.spec["seed"]) == (fraction, seed)]
    quantities = dict.fromkeys(
        key for e in chosen for point in e.record.history for key in point if key not in TIMES
    )
    losses = [q for q in quantities if "loss" in q]
    scores = [q for q in quantities if "loss" not in q and not q.startswith("lr")]
    title = evaluation_title(chosen[0].spec)
    logged = {key for e in chosen for point in e.record.history for key in point}
    clock = next((time for time in TIMES if time in logged), None)
    if clock is None:  # a search over settings, say, and not a course of training
        return []
    plots = []
    for quantity in [*losses[:1], *scores[:1]]:
        series = [line for e in chosen if (line := _logged(e, quantity, clock))]
        if series:
            alt = f"{title}: {shown(quantity)} in training, by backbone"
            axes = {"x_label": clock, "y_label": shown(quantity), "size": (4.0, 2.6)}
            svg = line_plot(series, alt=alt, colours=colours, **axes)
            plots.append(Plot(svg, f"{title}, seed {seed}."))
    return plots


def _logged(entry: Entry, quantity: str, clock: str) -> Series | None:
    """A quantity of the run's history over time; None where it was logged less than twice."""
    points = [p for p in entry.record.history if _finite(p.get(quantity)) and clock in p]
    if len(points) < 2:
        return None
    name = entry.spec["backbone"]["name"]
    return Series(name, [point[clock] for point in points], [point[quantity] for point in points])


def primary_metric(spec: dict[str, Any]) -> str:
    """The protocol's first metric."""
    return (*spec["protocol"]["metrics"], "")[0]


def shown(quantity: str) -> str:
    """A metric or logged quantity as it is written on an axis."""
    words = {"auroc": "AUROC", "auprc": "AUPRC", "map": "mAP", "iou": "IoU", "f1": "F1", "dice": "Dice"}
    return " ".join(words.get(word, word) for word in quantity.replace("/", " ").split("_"))


def evaluation_title(spec: dict[str, Any]) -> str:
    """Task, data set and protocol in words."""
    task = spec["task"].replace("_", "-")
    return f"{task.capitalize()} on {spec['data']['name']} ({spec['protocol']['name']})"


def _classes(entry: Entry, metric: str) -> list[str]:
    prefix = f"{metric}/"
    return [name.removeprefix(prefix) for name in entry.record.metrics if name.startswith(prefix)]


def _values(entries: list[Entry], name: str, metric: str, fraction: float) -> list[float]:
    """A backbone's values of a metric, × 100, one per seed."""
    found = [
        e.record.metrics.get(metric, math.nan)
        for e in entries
        if e.spec["backbone"]["name"] == name and e.spec["fraction"] == fraction
    ]
    return [100 * value for value in found if math.isfinite(value)]


def _series(name: str, x: list[float], values: list[list[float]]) -> Series:
    """Means and standard deviations of the values at each position."""
    centre = [mean(v) if v else math.nan for v in values]
    spread = [stdev(v) if len(v) > 1 else math.nan for v in values]
    return Series(name, x, centre, spread)


def _pretraining_history(entry: Entry) -> list[dict[str, float]]:
    path = entry.record.provenance.get("backbone", {}).get("path")
    if not path:
        return []
    try:
        history = json.loads((Path(path).parent / "history.json").read_text("utf-8"))
        return [point for point in history if _finite(point["loss"]) and "epoch" in point]
    except (OSError, ValueError, KeyError, TypeError):
        return []  # a checkpoint from elsewhere


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
