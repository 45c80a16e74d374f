"""Scores of classes from an image's similarities to prompts, on NumPy arrays alone."""

from __future__ import annotations

from typing import Any

import numpy as np

POOLINGS: dict[str, Any] = {"max": np.max, "mean": np.mean}


def class_scores(similarity: np.ndarray, owner: np.ndarray, pooling: str) -> np.ndarray:
    """Similarity to prompts [N, P] pooled over the prompts of each class (``owner``, int [P]): [N, C]."""
    pool = POOLINGS[pooling]
    return np.stack([pool(similarity[:, owner == c], axis=1) for c in range(owner.max() + 1)], axis=1)


def paired_scores(
    similarity: np.ndarray, owner: np.ndarray, negative: np.ndarray, pooling: str
) -> np.ndarray:
    """Score of the positive less that of the negative prompts of each class, [N, C].

    Args:
        similarity: to all prompts, [N, P].
        owner: class of each prompt, int [P]; every class has prompts of both kinds.
        negative: whether a prompt stands for the absence of its class, bool [P].
        pooling: over the prompts of one kind.
    """
    kinds = [class_scores(similarity[:, kind], owner[kind], pooling) for kind in (~negative, negative)]
    return kinds[0] - kinds[1]


def probability(margin: np.ndarray) -> np.ndarray:
    """exp(s+) / (exp(s+) + exp(s-)) of s+ - s-; one half exactly where the two are equal."""
    from scipy.special import expit

    return expit(margin.astype(float))


def standardise(scores: np.ndarray, how: str, batch_size: int) -> np.ndarray:
    """Scores [N, C] less their mean over the images, in units of their standard deviation, class by class.

    A class whose score is the same for all images becomes 0, as does a batch of one image.
    """
    if how == "none":
        return scores
    if how == "whole_set":
        batch_size = len(scores)
    pieces = [scores[start : start + batch_size] for start in range(0, len(scores), batch_size)]
    return np.concatenate([_z_score(piece) for piece in pieces])


def _z_score(scores: np.ndarray) -> np.ndarray:
    centred = scores - scores.mean(0)
    spread = scores.std(0)
    # below the rounding error of the scores there is nothing to be standardised
    noise = 4 * np.finfo(scores.dtype).eps * np.abs(scores).max(0, initial=0)
    return np.where(spread > noise, centred / np.where(spread > noise, spread, 1), 0).astype(scores.dtype)
