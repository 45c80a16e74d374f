"""The difference between two sets of runs, with its interval, and the table of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Difference:
    """Ours minus official.

    Attributes:
        mean: difference of the means.
        low, high: limits of the 95 % interval.
    """

    mean: float
    low: float
    high: float

    @property
    def contains_zero(self) -> bool:
        """Whether the interval contains 0."""
        return self.low <= 0 <= self.high


def difference(official: Sequence[float], ours: Sequence[float], *, paired: bool = False) -> Difference:
    """Compare two samples of runs by a t interval.

    Training is not paired (Welch's interval): the same seed gives other random numbers to other code. Five
    runs are too few for a bootstrap over them, whose intervals are then too narrow.

    Args:
        paired: whether both sides have the same random choices with the same seed.
    """
    first, second = np.asarray(official, float), np.asarray(ours, float)
    mean = float(second.mean() - first.mean())
    if (
        np.ptp(second - first) if paired else np.ptp(first) + np.ptp(second)
    ) == 0:  # nothing random: no interval but the difference itself
        return Difference(mean, mean, mean)
    test = stats.ttest_rel(second, first) if paired else stats.ttest_ind(second, first, equal_var=False)
    interval = test.confidence_interval(0.95)
    return Difference(mean, float(interval.low), float(interval.high))


HEADER = (
    "protocol",
    "comparison",
    "weights",
    "metric",
    "official",
    "ours",
    "difference",
    "95 % interval",
    "contains 0",
)
"""Columns of the table."""


def line(
    protocol: str,
    comparison: str,
    weights: str,
    metric: str,
    official: Sequence[float],
    ours: Sequence[float],
    *,
    paired: bool = False,
) -> tuple[str, ...]:
    """One line of the table; metrics and differences x 100."""
    found = difference(official, ours, paired=paired)
    return (
        protocol,
        comparison,
        weights,
        metric,
        _runs(official),
        _runs(ours),
        f"{100 * found.mean:+.2f}",
        f"{100 * found.low:+.2f} to {100 * found.high:+.2f}" + (", paired" if paired else ""),
        "yes" if found.contains_zero else "no",
    )


def _runs(values: Sequence[float]) -> str:
    return " ".join(f"{100 * value:.1f}" for value in values)


def table(lines: Sequence[tuple[str, ...]]) -> str:
    """The table in Markdown."""
    rows = [HEADER, tuple("---" for _ in HEADER), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
