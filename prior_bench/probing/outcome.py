"""The result of fitting a classifier, by either method."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class ProbeOutcome(NamedTuple):
    """Probabilities on images that the classifier was not fitted on.

    Attributes:
        valid, test: float32 [N, C].
        history: one dict per setting or epoch tried.
        predict: probabilities [M, C] from other features [M, D], where the classifier is on cached features.
    """

    valid: np.ndarray
    test: np.ndarray
    history: list[dict[str, float]]
    predict: Callable[[np.ndarray], np.ndarray] | None = None
