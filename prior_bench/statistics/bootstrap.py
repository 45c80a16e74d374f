"""Estimate the uncertainty of metrics from stored predictions.

Patients are resampled, not images: images of one patient are not independent, and intervals that assume
independence are too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.runtime import progress
from prior_bench.statistics.resample import concatenated, spans, take

ScoreFunction = Callable[[dict[str, np.ndarray]], dict[str, float]]
CountsFunction = Callable[[dict[str, np.ndarray], np.ndarray], dict[str, np.ndarray] | None]

DRAWS_AT_ONCE = 2**20
"""Number of draws times samples whose counts are in memory at once."""


def bootstrap(
    score_fn: ScoreFunction,
    predictions: dict[str, np.ndarray],
    group: str = "patient_id",
    n: int = 1000,
    seed: int = 0,
    of_counts: CountsFunction | None = None,
) -> dict[str, np.ndarray]:
    """Compute metrics on ``n`` resamples, drawn with replacement from the values of ``group``.

    Args:
        score_fn: function from predictions to metrics, e.g. ``lambda p: task.score(p, ("auroc",))``.
        predictions: see TaskResult.
        group: name of the array whose equal values mark samples that belong together.
        n: number of resamples.
        seed: the same seed draws the same patients for every method, so that differences are paired.
        of_counts: function from predictions and counts [D, N], how often each of D resamples contains each of
            N samples, to the same metrics, [D] each; None if it cannot compute them. It is faster where it
            sorts once for all resamples.

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
    if of_counts is not None:
        found = _by_counts(of_counts, predictions, number, n, seed)
        if found is not None:
            return found
    draws = []
    for _ in progress(range(n), "bootstrap"):
        drawn = random.integers(len(counts), size=len(counts))
        draws.append(score_fn(take(predictions, order[concatenated(starts, counts, drawn)])))
    names = dict.fromkeys(name for draw in draws for name in draw)
    return {name: np.array([draw.get(name, np.nan) for draw in draws], dtype=float) for name in names}


def _by_counts(
    of_counts: CountsFunction,
    predictions: dict[str, np.ndarray],
    number: np.ndarray,
    n: int,
    seed: int,
) -> dict[str, np.ndarray] | None:
    """Compute metrics on ``n`` resamples of the groups ``number`` [N]; None if counts do not suffice."""
    blocks = []
    for counts in progress(_counts(number, n, seed), "bootstrap"):
        block = of_counts(predictions, counts)
        if block is None:
            return None
        blocks.append(block)
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]} if blocks else {}


def _counts(number: np.ndarray, n: int, seed: int) -> Draws | list[np.ndarray]:
    """How often each sample is drawn in each of ``n`` resamples of groups, some resamples at a time."""
    if len(number) * n <= DRAWS_AT_ONCE:
        return _few_counts(number.astype(np.int64).tobytes(), n, seed)
    return Draws(number, n, max(1, DRAWS_AT_ONCE // len(number)), seed)


class Draws:
    """How often each of N samples is drawn in each of ``n`` resamples, int32 [D, N], ``step`` at a time.

    Args:
        number: [N], the group of each sample; every group from 0 to the largest has samples. The groups that
            are drawn are those that :func:`bootstrap` takes one by one.
        n: number of resamples.
        step: number of resamples at a time.
        seed: of the random numbers.
    """

    def __init__(self, number: np.ndarray, n: int, step: int, seed: int):
        self.number, self.n, self.step, self.seed = number, n, step, seed

    def __len__(self) -> int:
        return math.ceil(self.n / self.step)

    def __iter__(self) -> Iterator[np.ndarray]:
        random, groups = np.random.default_rng(self.seed), int(self.number.max()) + 1
        for first in range(0, self.n, self.step):
            drawn = random.integers(groups, size=(min(self.step, self.n - first), groups))
            drawn += groups * np.arange(len(drawn))[:, None]
            counts = np.bincount(drawn.ravel(), minlength=drawn.size).astype(np.int32)
            yield np.take(counts.reshape(drawn.shape), self.number, axis=1)


@lru_cache(maxsize=4)
def _few_counts(number: bytes, n: int, seed: int) -> list[np.ndarray]:
    """The same as a list: the runs of a table, which were tested on the same images, share it."""
    return list(Draws(np.frombuffer(number, np.int64), n, n, seed))


def interval(
    score_fn: ScoreFunction,
    predictions: dict[str, np.ndarray],
    group: str = "patient_id",
    n: int = 1000,
    seed: int = 0,
    level: float = 0.95,
    of_counts: CountsFunction | None = None,
) -> dict[str, tuple[float, float]]:
    """Compute percentile bootstrap intervals by patient (Efron & Tibshirani 1993, chapter 13).

    Args:
        score_fn, predictions, group, n, seed, of_counts: see :func:`bootstrap`.
        level: nominal coverage.

    Returns:
        (lower, upper) per metric; NaN if there is only one patient, or if the metric is undefined on at least
        half of the resamples.
    """
    draws = bootstrap(score_fn, predictions, group, n, seed, of_counts)
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
