"""Whether the difference between two methods is more than luck of the test patients and of the seeds.

A difference is averaged over the seeds that both methods have. Its error has two parts: the test patients
might have been others (DeLong for AUROC, else a paired bootstrap by patient), and the trainings might have
come out differently (spread of the per-seed differences over the number of seeds). Where no two methods have
two seeds, the second part is missing: the test is then about these trained weights only.
``docs/statistics.md`` gives the reasons.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.05
"""Of significance, everywhere."""

SMALLEST_P = 1e-12
"""p values below this are given as this."""


@dataclass(frozen=True)
class Difference:
    """The first method's metric less the second's.

    Attributes:
        value: mean over seeds.
        parts: the variances that add up to that of ``value``, each with its degrees of freedom.
        seeds: number of seeds averaged over.
    """

    value: float
    parts: tuple[tuple[float, int], ...]
    seeds: int

    @property
    def covers_seeds(self) -> bool:
        """Whether the error includes the spread over seeds; else it is about these trained weights only."""
        return len(self.parts) > 1

    @property
    def error(self) -> float:
        """Standard error of ``value``; NaN where it cannot be estimated."""
        return math.sqrt(sum(variance for variance, _ in self.parts))

    @property
    def p(self) -> float:
        """Two-sided p value of "no difference"; 1 for two methods that are equal everywhere.

        NaN where there is a difference and no error to hold it against.
        """
        from scipy.optimize import brentq

        if not self.error > 0:
            return 1.0 if self.error == 0 and self.value == 0 else math.nan
        ratio = abs(self.value) / self.error
        if ratio >= self._critical(SMALLEST_P):
            return SMALLEST_P
        return float(brentq(lambda level: self._critical(level) - ratio, SMALLEST_P, 1, xtol=SMALLEST_P))

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference."""
        half = self._critical(LEVEL) * self.error if self.error > 0 else 0.0
        return self.value - half, self.value + half

    def _critical(self, level: float) -> float:
        """Quantile for ``value / error``: those of the parts' t distributions, weighted by their variances
        (Cochran & Cox, Experimental Designs, 1950). It keeps the level with two or three seeds, where the
        approximation of Welch and Satterthwaite rejects twice as often as it should."""
        from scipy.stats import t

        weighted = [variance * t.isf(level / 2, freedom) for variance, freedom in self.parts if variance > 0]
        return float(sum(weighted) / sum(variance for variance, _ in self.parts))


def difference(
    per_seed: Sequence[float], test_error: float, patients: int, spread: tuple[float, int] | None = None
) -> Difference:
    """Put a difference together from its parts.

    Args:
        per_seed: first less second, for each seed that both have.
        test_error: standard error of their mean as far as the test patients go.
        patients: in the test set, at least two.
        spread: variance of per_seed with its degrees of freedom, estimated from more than these two methods
            (:func:`pooled_spread`); by default from per_seed alone, which takes at least two seeds.

    Returns:
        The mean; its variance is test_error² + variance of per_seed / seeds. Without a spread, the second
        part is missing.
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
    """How much the difference between two methods varies from seed to seed, estimated from all methods.

    Two or three seeds of two methods give a poor estimate; those of ten methods give a good one. The
    assumption is that the trainings of all methods vary equally.

    Args:
        values: [M, S], of M methods with the same S seeds.

    Returns:
        Twice the residual variance of the two-way layout, and (M - 1)(S - 1); for M = 2 the variance of the
        differences. None for fewer than two methods or seeds.
    """
    methods, seeds = values.shape
    freedom = (methods - 1) * (seeds - 1)
    if freedom < 1:
        return None
    rest = values - values.mean(1, keepdims=True) - values.mean(0, keepdims=True) + values.mean()
    return 2 * float((rest**2).sum()) / freedom, freedom


def bootstrap_error(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Standard error of the seed-averaged difference from paired bootstrap draws.

    Args:
        first, second: per seed, [n] values of the metric on the same resamples of patients.

    Returns:
        NaN where more than half of the resamples leave the difference undefined.
    """
    drawn = np.mean(first, axis=0) - np.mean(second, axis=0)
    defined = drawn[np.isfinite(drawn)]
    return float(defined.std(ddof=1)) if len(defined) > len(drawn) / 2 else math.nan


def holm(p_values: Sequence[float]) -> np.ndarray:
    """p values corrected for their number (Holm, Scandinavian Journal of Statistics 6 (1979) 65-70).

    NaN stays NaN and does not count.
    """
    from statsmodels.stats.multitest import multipletests

    given = np.asarray(p_values, dtype=float)
    corrected = np.full(len(given), math.nan)
    made = np.isfinite(given)
    if made.any():
        corrected[made] = multipletests(given[made], method="holm")[1]
    return corrected
