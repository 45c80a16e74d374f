"""The decision for the class with the highest score, and what it is where several share that score."""

import numpy as np


def argmax_shares(score: np.ndarray) -> np.ndarray:
    """Return the class with the highest score of each sample, bool [N, C].

    If several classes share the highest score in any sample, it is float: each of them has an equal share,
    the expectation of a draw between them. The order of the classes must not decide: equal scores for all
    classes are at chance, and not at the share of the first class.
    """
    best = score == score.max(1, keepdims=True)
    ties = best.sum(1, keepdims=True)
    return best if (ties == 1).all() else best / ties
