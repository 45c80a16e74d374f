"""What a classifier gives back, whichever way it was fitted."""

from typing import NamedTuple

import numpy as np


class Outcome(NamedTuple):
    """Probabilities on images that the classifier was not fitted to.

    Attributes:
        valid, test: float32 [N, C].
        history: one dict per setting or epoch tried.
    """

    valid: np.ndarray
    test: np.ndarray
    history: list[dict[str, float]]
