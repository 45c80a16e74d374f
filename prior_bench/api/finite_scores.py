"""Refuse scores that are not finite: NaN is neither higher nor lower than anything, and would rank first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    import numpy as np

FIX = (
    "'prior-bench checkpoint inspect FILE' names tensors that are not finite; a training that diverged needs "
    "a lower learning rate"
)
AT_ONCE = 2**20
"""Number of scores that are looked at in one go: a matrix of similarities may fill the memory."""


def require_finite_scores(values: np.ndarray, what: str, where: object) -> None:
    """Check that all scores are finite.

    Args:
        values: the scores.
        what: what they are, in the plural, for the message.
        where: the backbone or the task.

    Raises:
        BenchError: some are NaN or infinite; the run fails.
    """
    rows = max(1, AT_ONCE * len(values) // max(1, values.size))
    parts = (values[start : start + rows] for start in range(0, len(values), rows))
    wrong = sum(int((~(abs(part) < math.inf)).sum()) for part in parts)
    if wrong:
        raise BenchError(f"{wrong:,} of {values.size:,} {what} are not finite", where=where, fix=FIX)
