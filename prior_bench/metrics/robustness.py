"""Classification metrics under corruptions of the test images, from predictions that hold scores for each.

Predictions: ``score`` [N, C] of the clean images, ``corrupted_score`` [N, K, C] of K conditions, which
``meta_corruptions`` [K] names (``"noise_3"``). Names, for every classification metric (here AUROC):

- ``auroc_corrupted``: mean over all corruptions and severities; ``auroc_corrupted/noise``: over the
  severities of one corruption; ``auroc_corrupted/noise_3``: of one severity alone;
- ``auroc_drop``: clean less ``auroc_corrupted``, what is lost (lower is better); ``auroc_drop/noise``.

Means are taken of metrics, not of scores: each condition is a test set of its own.
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
"""Metrics of ``score`` alone, by name."""


def base(metric: str) -> str:
    """The classification metric that a metric is about: ``auroc`` of ``auroc_drop``."""
    for ending in ENDINGS:
        metric = metric.removesuffix(ending)
    return metric


def described(clean: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metrics of corrupted images that belong to metrics of clean ones."""
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
    """The same of several, each once."""
    return tuple(dict.fromkeys(map(base, metrics)))


def corrupted_predictions(
    conditions: tuple[Condition, ...], scores: Iterable[np.ndarray]
) -> dict[str, np.ndarray]:
    """The arrays that are stored: ``scores`` [N, C] of each condition, in order. Empty without conditions."""
    if not conditions:
        return {}
    return {
        "corrupted_score": np.stack([np.asarray(s, np.float32) for s in scores], axis=1),
        "meta_corruptions": np.array([str(condition) for condition in conditions]),
    }


def score(
    clean_score: CleanScore, predictions: dict[str, np.ndarray], metrics: tuple[str, ...]
) -> dict[str, float]:
    """All of ``metrics``, those of clean and of corrupted images; NaN where undefined.

    Args:
        clean_score: the task's own way from predictions to metrics.
        predictions: see above; ``corrupted_score`` is looked at only where a metric asks for it.
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
    """What predictors reach that do not look at the image: the same, whatever is done to it.

    Args:
        predictors: by name, their values of the clean metrics (:func:`bases` of ``metrics``).
        metrics: of the protocol.
        conditions: of the protocol.
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
    """A metric of corrupted images: mean over all, over each corruption, and (no drop) the conditions."""
    by_corruption: dict[str, list[float]] = {}
    for name, value in of_conditions.items():
        by_corruption.setdefault(name.rpartition("_")[0], []).append(value)
    values = {metric: float(np.mean(list(of_conditions.values())))}
    values |= {f"{metric}/{name}": float(np.mean(each)) for name, each in by_corruption.items()}
    if metric.endswith("_drop"):
        return {name: clean - value for name, value in values.items()}
    return values | {f"{metric}/{name}": float(value) for name, value in of_conditions.items()}
