"""Evaluations, metrics and logged quantities in words."""

from __future__ import annotations

from typing import Any

from prior_bench.api import Metric
from prior_bench.store.cells import Labels, labels_text
from prior_bench.store.descriptions import Description

NO_BREAK = "\N{NO-BREAK SPACE}"


def on_axis(metric: Metric) -> str:
    """Return the label of an axis: the metric and the factor of its values."""
    return metric.heading if metric.scale == 1 else f"{metric.heading} × {metric.scale:g}"


def logged(quantity: str, task: Description) -> str:
    """Return a quantity of a run's history in words: the title of the task's metric, or its own name."""
    metric = task.metric(quantity)
    return metric.heading if metric else quantity.replace("_", " ").replace("/", " ")


def in_words(name: str) -> str:
    """Return a registered name as it is written in a text."""
    return name.replace("_", "-")


def amount_of_labels(labels: Labels) -> str:
    """Return an amount of training labels in words."""
    text = labels_text(labels).replace(" ", NO_BREAK)
    return f"{text} of the labels" if labels[0] else f"{text} for training"


def evaluation_title(spec: dict[str, Any]) -> str:
    """Return task, data set and protocol in words."""
    task = in_words(spec["task"])
    return f"{task.capitalize()} on {spec['data']['name']} ({spec['protocol']['name']})"
