"""Evaluations, metrics and logged quantities in words."""

from __future__ import annotations

from typing import Any

from prior_bench.api import Metric
from prior_bench.store.descriptions import Description

NO_BREAK = "\N{NO-BREAK SPACE}"


def on_axis(metric: Metric) -> str:
    """The label of an axis: a metric with the factor of its numbers."""
    return metric.heading if metric.scale == 1 else f"{metric.heading} × {metric.scale:g}"


def logged(quantity: str, task: Description) -> str:
    """A quantity of a run's history in words: the title of a metric of the task, or the quantity's name."""
    metric = task.metric(quantity)
    return metric.heading if metric else quantity.replace("_", " ").replace("/", " ")


def in_words(name: str) -> str:
    """A registered name as it is written in a text."""
    return name.replace("_", "-")


def evaluation_title(spec: dict[str, Any]) -> str:
    """Task, data set and protocol in words."""
    task = in_words(spec["task"])
    return f"{task.capitalize()} on {spec['data']['name']} ({spec['protocol']['name']})"
