"""Compute average ranks of methods over several evaluations, and the difference that is significant.

The method is that of Demšar, Journal of Machine Learning Research 7 (2006) 1-30: average ranks, Friedman's
test for any difference, and Nemenyi's critical difference between two of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from prior_bench.statistics.significance import LEVEL

FEWEST_SEEDS = 3
"""Fewest seeds for which intervals over seeds are given."""
DRAWS = 2000
"""Number of bootstrap draws of seeds."""


@dataclass(frozen=True)
class AverageRanks:
    """Average ranks of methods over several evaluations.

    Attributes:
        labels: methods, best average rank first.
        average: their average ranks; 1 is best.
        evaluations: number of evaluations.
        difference: Nemenyi's critical difference; NaN for fewer than two methods or evaluations.
        p: p value of Friedman's test; NaN for fewer than three methods or two evaluations.
        intervals: 95 % interval of each average rank over seeds; empty where there are too few.
    """

    labels: tuple[str, ...]
    average: tuple[float, ...]
    evaluations: int
    difference: float
    p: float
    intervals: tuple[tuple[float, float], ...] = ()

    def groups(self) -> list[tuple[int, int]]:
        """Return first and last position of each maximal run of methods that do not differ significantly."""
        found: list[tuple[int, int]] = []
        for first, rank in enumerate(self.average):
            last = max(
                i for i, other in enumerate(self.average) if other - rank <= self.difference or i == first
            )
            if last > first and (not found or last > found[-1][1]):
                found.append((first, last))
        return found


def rank(labels: list[str], values: np.ndarray, by_seed: np.ndarray | None = None) -> AverageRanks:
    """Compute average ranks from a table of values.

    Args:
        labels: names of the M methods.
        values: [M, E] of E >= 1 evaluations, without NaN; higher is better. Ties share the mean of their
            ranks.
        by_seed: [S, M, E], the values of S seeds whose means ``values`` are; None if the cells have not the
            same seeds.
    """
    from scipy.stats import friedmanchisquare

    methods, evaluations = values.shape
    average = _average(values)
    order = np.argsort(average, kind="stable")
    bounds: Iterable[np.ndarray] = ()
    if by_seed is not None and len(by_seed) >= FEWEST_SEEDS:
        bounds = _over_seeds(by_seed)[order]
    enough = methods >= 3 and evaluations >= 2
    p = float(friedmanchisquare(*values).pvalue) if enough else math.nan
    return AverageRanks(
        labels=tuple(labels[i] for i in order),
        average=tuple(float(average[i]) for i in order),
        evaluations=evaluations,
        difference=critical_difference(methods, evaluations),
        p=p,
        intervals=tuple((float(low), float(high)) for low, high in bounds),
    )


def _average(values: np.ndarray) -> np.ndarray:
    """Average ranks [..., M] of values [..., M, E]."""
    from scipy.stats import rankdata

    return rankdata(-values, axis=-2).mean(-1)


def _over_seeds(by_seed: np.ndarray) -> np.ndarray:
    """95 % intervals [M, 2] of average ranks: bootstrap over the seeds, the same ones for all methods."""
    drawn = np.random.default_rng(0).integers(0, len(by_seed), (DRAWS, len(by_seed)))
    found = _average(by_seed[drawn].mean(1))
    return np.quantile(found, (0.025, 0.975), axis=0).T


def critical_difference(methods: int, evaluations: int, level: float = LEVEL) -> float:
    """Compute Nemenyi's critical difference of two average ranks (Demšar 2006, section 3.2.2)."""
    from scipy.stats import studentized_range

    if methods < 2 or evaluations < 2:
        return math.nan
    q = studentized_range.ppf(1 - level, methods, math.inf) / math.sqrt(2)
    return float(q * math.sqrt(methods * (methods + 1) / (6 * evaluations)))
