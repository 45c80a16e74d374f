"""Estimate the uncertainty of metrics from stored predictions.

Patients are resampled, not images: images of one patient are not independent, and intervals that assume
independence are too narrow.
"""

from collections.abc import Callable

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.runtime import progress
from prior_bench.statistics.resample import concatenated, spans, take

ScoreFunction = Callable[[dict[str, np.ndarray]], dict[str, float]]


def bootstrap(
    score_fn: ScoreFunction,
    predictions: dict[str, np.ndarray],
    group: str = "patient_id",
    n: int = 1000,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Compute metrics on ``n`` resamples, drawn with replacement from the values of ``group``.

    Args:
        score_fn: function from predictions to metrics, e.g. ``lambda p: task.score(p, ("auroc",))``.
        predictions: see TaskResult.
        group: name of the array whose equal values mark samples that belong together.
        n: number of resamples.
        seed: the same seed draws the same patients for every method, so that differences are paired.

    Returns:
        Float [n] per metric; NaN if a metric is undefined on a resample.

    Raises:
        BenchError: the predictions have no samples, or no array ``group``.
    """
    if group not in predictions or not len(predictions[group]):
        raise BenchError(f"predictions have no '{group}' to resample by")
    _, number = np.unique(predictions[group], return_inverse=True)
    order = np.argsort(number, kind="stable")
    starts, counts = spans(number[order], number.max() + 1)
    random = np.random.default_rng(seed)
    draws = []
    for _ in progress(range(n), "bootstrap"):
        drawn = random.integers(len(counts), size=len(counts))
        draws.append(score_fn(take(predictions, order[concatenated(starts, counts, drawn)])))
    names = dict.fromkeys(name for draw in draws for name in draw)
    return {name: np.array([draw.get(name, np.nan) for draw in draws], dtype=float) for name in names}


def interval(
    score_fn: ScoreFunction,
    predictions: dict[str, np.ndarray],
    group: str = "patient_id",
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Compute percentile bootstrap intervals by patient (Efron & Tibshirani 1993, chapter 13).

    Args:
        score_fn, predictions, group, n, seed: see :func:`bootstrap`.
        level: nominal coverage.

    Returns:
        (lower, upper) per metric; NaN if there is only one patient, or if the metric is undefined on at least
        half of the resamples.
    """
    draws = bootstrap(score_fn, predictions, group, n, seed)
    if len(np.unique(predictions[group])) < 2:
        return dict.fromkeys(draws, (float("nan"), float("nan")))
    return {name: percentiles(values, level) for name, values in draws.items()}


def percentiles(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the bounds of the middle ``level`` of draws [n]; NaN if at least half of them are undefined."""
    defined = draws[np.isfinite(draws)]
    if len(defined) <= len(draws) / 2:
        return float("nan"), float("nan")
    tail = (1 - level) / 2
    lower, upper = np.quantile(defined, [tail, 1 - tail])
    return float(lower), float(upper)
