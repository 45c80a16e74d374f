"""Classification metrics under corruptions of the test images, from scores for each corruption.

Predictions contain ``score`` [N, C] of the clean images and ``corrupted_score`` [N, K, C] of K conditions
with the names ``meta_corruptions`` [K] (``"noise_3"``). For every classification metric (here AUROC) there
are:

- ``auroc_corrupted``: mean over all corruptions and severities; ``auroc_corrupted/noise``: mean over the
  severities of one corruption; ``auroc_corrupted/noise_3``: value of one condition;
- ``auroc_drop``: clean AUROC minus ``auroc_corrupted`` (lower is better); ``auroc_drop/noise``: the same for
  one corruption.

Metrics are averaged, not scores: each condition is a test set of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from prior_bench.api import Metric
from prior_bench.data.images.corruptions import Condition

ENDINGS = ("_corrupted", "_drop")

CleanScore = Callable[[dict[str, np.ndarray], tuple[str, ...]], dict[str, float]]
"""A function that computes metrics of ``score`` alone, by name."""


def base(metric: str) -> str:
    """Return the classification metric that a metric is based on: ``auroc`` for ``auroc_drop``."""
    for ending in ENDINGS:
        metric = metric.removesuffix(ending)
    return metric


def described(clean: Mapping[str, Metric]) -> dict[str, Metric]:
    """Describe the metrics of corrupted images that are based on metrics of clean images."""
    found = {}
    for name, metric in clean.items():
        shared: dict[str, Any] = dict(parts="corruption", error="bootstrap")
        title = f"{metric.heading} lost on corrupted images"
        lost: dict[str, Any] = dict(direction="lower", title=title, chance=None)
        low, high = metric.bounds
        span = None if low is None or high is None else high - low
        found[f"{name}_corrupted"] = replace(
            metric, name=f"{name}_corrupted", title=f"{metric.heading}, corrupted images", **shared
        )
        found[f"{name}_drop"] = replace(
            metric, name=f"{name}_drop", bounds=(None if span is None else -span, span), **shared, **lost
        )
    return found


def bases(metrics: Iterable[str]) -> tuple[str, ...]:
    """Return :func:`base` of several metrics, each once."""
    return tuple(dict.fromkeys(map(base, metrics)))


def corrupted_predictions(
    conditions: tuple[Condition, ...], scores: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the arrays to store from the ``scores`` [N, C] of each condition; empty without conditions."""
    if not conditions:
        return {}
    return {
        "corrupted_score": np.stack([np.asarray(s, np.float32) for s in scores], axis=1),
        "meta_corruptions": np.array([str(condition) for condition in conditions]),
    }


def score(
    clean_score: CleanScore, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]
) -> dict[str, float]:
    """Compute all ``metrics`` of clean and corrupted images; NaN if undefined.

    Args:
        clean_score: the task's function from predictions to metrics.
        predictions: see above; ``corrupted_score`` is only used for metrics that need it.
    """
    values = clean_score(predictions, tuple(metric for metric in metrics if metric == base(metric)))
    asked = [metric for metric in metrics if metric != base(metric)]
    if not asked:
        return values
    clean = clean_score(predictions, bases(asked))
    each = {
        str(name): clean_score({**predictions, "score": predictions["corrupted_score"][:, k]}, bases(asked))
        for k, name in enumerate(predictions["meta_corruptions"])
    }
    for metric in asked:
        of_conditions = {name: found[base(metric)] for name, found in each.items()}
        values |= _summary(metric, clean[base(metric)], of_conditions)
    return values


def trivial(
    predictors: Mapping[str, Mapping[str, float]], metrics: tuple[str, ...], conditions: tuple[Condition, ...]
) -> dict[str, dict[str, float]]:
    """Return the metrics of predictors that do not look at the image; corruptions do not change them.

    Args:
        predictors: values of the clean metrics (:func:`bases` of ``metrics``), by predictor.
        metrics: metrics of the protocol.
        conditions: conditions of the protocol.
    """
    asked = [metric for metric in metrics if metric != base(metric)]
    found = {}
    for name, values in predictors.items():
        wanted = {key: value for key, value in values.items() if key.partition("/")[0] in metrics}
        for metric in asked:
            if base(metric) in values:
                value = values[base(metric)]
                wanted |= _summary(metric, value, dict.fromkeys(map(str, conditions), value))
        found[name] = wanted
    return found


def _summary(metric: str, clean: float, of_conditions: dict[str, float]) -> dict[str, float]:
    """Summarise a metric: means over all and over each corruption and, except for drops, each condition."""
    by_corruption: dict[str, list[float]] = {}
    for name, value in of_conditions.items():
        by_corruption.setdefault(name.rpartition("_")[0], []).append(value)
    values = {metric: float(np.mean(list(of_conditions.values())))}
    values |= {f"{metric}/{name}": float(np.mean(each)) for name, each in by_corruption.items()}
    if metric.endswith("_drop"):
        return {name: clean - value for name, value in values.items()}
    return values | {f"{metric}/{name}": float(value) for name, value in of_conditions.items()}
