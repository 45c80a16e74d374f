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


def require_finite_scores(values: np.ndarray, what: str, where: object) -> None:
    """Check that all scores are finite.

    Args:
        values: the scores.
        what: what they are, in the plural, for the message.
        where: the backbone or the task.

    Raises:
        BenchError: some are NaN or infinite; the run fails.
    """
    wrong = int((~(abs(values) < math.inf)).sum())
    if wrong:
        raise BenchError(f"{wrong:,} of {values.size:,} {what} are not finite", where=where, fix=FIX)
