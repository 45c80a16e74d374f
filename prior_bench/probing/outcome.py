"""The outcome of fitting a classifier, by whichever method."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class ProbeOutcome(NamedTuple):
    """Probabilities for images that the classifier was not fitted on.

    Attributes:
        valid, test: float32 [N, C].
        history: one dict per setting or epoch.
        predict: function from features [M, D] to probabilities [M, C]; only for classifiers on cached
            features.
    """

    valid: np.ndarray
    test: np.ndarray
    history: list[dict[str, float]]
    predict: Callable[[np.ndarray], np.ndarray] | None = None
