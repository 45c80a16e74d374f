"""Test whether the difference between two methods exceeds the variation over test patients and seeds.

A difference is averaged over the seeds that both methods have. Its error has two parts: the variation over
test patients (DeLong for AUROC, otherwise a paired bootstrap by patient) and the variation over trainings
(the variance of the per-seed differences divided by the number of seeds). If no two methods have two seeds,
the second part is missing, and the test is only about these trained weights. ``docs/statistics.md`` explains
the method.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05
"""Significance level of all tests."""

SMALLEST_P = 1e-12
"""Smallest p value; smaller ones are set to it."""


@dataclass(frozen=True)
class Difference:
    """The metric of a first method minus that of a second.

    Attributes:
        value: mean over seeds.
        parts: the variances whose sum is the variance of ``value``, each with its degrees of freedom.
        seeds: number of seeds in the average.
    """

    value: float
    parts: tuple[tuple[float, int], ...]
    seeds: int

    @property
    def covers_seeds(self) -> bool:
        """Whether the error includes the spread over seeds; otherwise it is about these trained weights."""
        return len(self.parts) > 1

    @property
    def error(self) -> float:
        """The standard error of ``value``; NaN if it cannot be estimated."""
        return math.sqrt(sum(variance for variance, _ in self.parts))

    @property
    def p(self) -> float:
        """The two-sided p value of "no difference"; 1 for two methods that are equal everywhere.

        It is NaN if there is a difference, but no estimate of its error.
        """
        from scipy.optimize import brentq
        from scipy.special import stdtr

        if not self.error > 0:
            return 1.0 if self.error == 0 and self.value == 0 else math.nan
        ratio = abs(self.value) / self.error
        if ratio >= self._critical(SMALLEST_P):
            return SMALLEST_P
        # a weighted mean of quantiles: the p value is between those of the parts
        of_parts = [2 * stdtr(freedom, -ratio) for variance, freedom in self.parts if variance > 0]
        low, high = max(min(of_parts) * (1 - 1e-6), SMALLEST_P), min(max(of_parts) * (1 + 1e-6), 1.0)
        return float(brentq(lambda level: self._critical(level) - ratio, low, high, xtol=SMALLEST_P))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the difference."""
        half = self._critical(LEVEL) * self.error if self.error > 0 else 0.0
        return self.value - half, self.value + half

    def _critical(self, level: float) -> float:
        """Return the two-sided quantile of ``value / error``.

        It is the mean of the quantiles of the parts' t distributions, weighted by their variances (Cochran &
        Cox, Experimental Designs, 1950). It keeps the level with two or three seeds, for which the
        approximation of Welch and Satterthwaite rejects twice as often as it should.
        """
        from scipy.special import stdtrit  # what scipy.stats.t.isf calls, after checks that take longer

        weighted = [v * -stdtrit(freedom, level / 2) for v, freedom in self.parts if v > 0]
        return float(sum(weighted) / sum(variance for variance, _ in self.parts))


def difference(
    per_seed: Sequence[float], test_error: float, patients: int, spread: tuple[float, int] | None = None
) -> Difference:
    """Combine the parts of a difference.

    Args:
        per_seed: metric of the first method minus that of the second, for each seed that both have.
        test_error: standard error of their mean due to the test patients.
        patients: number of patients in the test set, at least two.
        spread: variance of per_seed and its degrees of freedom, estimated from more than these two methods
            (:func:`pooled_spread`). By default it is estimated from per_seed, if there are at least two
            seeds.

    Returns:
        The mean difference. Its variance is test_error² + variance of per_seed / seeds; without a spread, the
        second part is missing.
    """
    seeds = len(per_seed)
    if spread is None and seeds > 1:
        spread = float(np.var(per_seed, ddof=1)), seeds - 1
    parts = [(test_error**2, patients - 1)]
    if spread is not None:
        variance, freedom = spread
        parts.append((variance / seeds, freedom))
    return Difference(float(np.mean(per_seed)), tuple(parts), seeds)


def pooled_spread(values: np.ndarray) -> tuple[float, int] | None:
    """Estimate the variance of the difference between two methods over seeds from all methods.

    Two or three seeds of two methods give a poor estimate, those of ten methods a good one. The assumption is
    that the trainings of all methods have the same variance.

    Args:
        values: [M, S], metric of M methods with the same S seeds.

    Returns:
        Twice the residual variance of the two-way layout (for M = 2, the variance of the differences) and its
        degrees of freedom (M - 1)(S - 1); None for fewer than two methods or seeds.
    """
    methods, seeds = values.shape
    freedom = (methods - 1) * (seeds - 1)
    if freedom < 1:
        return None
    rest = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + values.mean()
    return 2 * float((rest**2).sum()) / freedom, freedom


def bootstrap_error(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Compute the standard error of the seed-averaged difference from paired bootstrap draws.

    Args:
        first, second: for each seed, values [n] of the metric on the same resamples of patients.

    Returns:
        The standard error; NaN if the difference is undefined on at least half of the resamples.
    """
    drawn = np.mean(first, axis=0) - np.mean(second, axis=0)
    defined = drawn[np.isfinite(drawn)]
    return float(defined.std(ddof=1)) if len(defined) > len(drawn) / 2 else math.nan


def holm(p_values: Sequence[float]) -> np.ndarray:
    """Correct p values for their number (Holm, Scandinavian Journal of Statistics 6 (1979) 65-70).

    NaN values are returned unchanged and do not count.
    """
    from statsmodels.stats.multitest import multipletests

    given = np.asarray(p_values, dtype=float)
    corrected = np.full(len(given), math.nan)
    made = np.isfinite(given)
    if made.any():
        corrected[made] = multipletests(given[made], method="holm")[1]
    return corrected
