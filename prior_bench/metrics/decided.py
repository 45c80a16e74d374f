"""Decide for the class with the highest score, also where several share it, and count what is decided."""

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


def confusion(decisions: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, ...]:
    """Count true positives, false positives, false negatives and true negatives per class, each [C].

    Shares of decisions (:func:`argmax_shares`) give expected counts.
    """
    positive, negative = target == 1, target == 0
    if decisions.dtype != bool:
        return tuple(
            (share * label).sum(0)
            for share, label in (
                (decisions, positive),
                (decisions, negative),
                (1 - decisions, positive),
                (1 - decisions, negative),
            )
        )
    return (
        (decisions & positive).sum(0),
        (decisions & negative).sum(0),
        (~decisions & positive).sum(0),
        (~decisions & negative).sum(0),
    )
