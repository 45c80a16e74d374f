"""Compute scores of classes from similarities of images and prompts, on NumPy arrays.

Scores that are probabilities are in float64, so that high ones stay different (docs/zero_shot.md).
"""

from __future__ import annotations

from typing import Any

import numpy as np

POOLINGS: dict[str, Any] = {"max": np.max, "mean": np.mean}


def class_scores(similarity: np.ndarray, owner: np.ndarray, pooling: str) -> np.ndarray:
    """Pool similarities to prompts [N, P] over the prompts of each class (``owner``, int [P]) to [N, C]."""
    pool = POOLINGS[pooling]
    return np.stack([pool(similarity[:, owner == c], axis=1) for c in range(owner.max() + 1)], axis=1)


def paired_scores(
    similarity: np.ndarray, owner: np.ndarray, negative: np.ndarray, pooling: str
) -> np.ndarray:
    """Compute the score of the positive minus that of the negative prompts of each class, [N, C].

    Args:
        similarity: [N, P], similarities of images and prompts.
        owner: int [P], class of each prompt; every class has prompts of both kinds.
        negative: bool [P], whether a prompt stands for the absence of its class.
        pooling: one of :data:`POOLINGS`, over the prompts of one kind.
    """
    kinds = [class_scores(similarity[:, kind], owner[kind], pooling) for kind in (~negative, negative)]
    return kinds[0] - kinds[1]


def probability(margin: np.ndarray) -> np.ndarray:
    """Compute exp(s+) / (exp(s+) + exp(s-)) from the margin s+ - s-; it is 0.5 if both scores are equal."""
    from scipy.special import expit

    return expit(margin.astype(float))


def class_probabilities(scores: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """Compute the softmax over the classes, exp(scale s_c) / sum_k exp(scale s_k), of scores [N, C]."""
    from scipy.special import softmax

    return softmax(scale * scores.astype(float), axis=1)


def sigmoid(scores: np.ndarray, scale: float = 1.0, bias: float = 0.0) -> np.ndarray:
    """Compute 1 / (1 + exp(-(scale s + bias))) of scores [N, C], as SigLIP (Zhai et al. 2023) does."""
    return probability(scale * scores.astype(float) + bias)


def standardise(scores: np.ndarray, how: str, batch_size: int, order: np.ndarray | None = None) -> np.ndarray:
    """Standardise the scores [N, C] of each class over the images: subtract the mean, divide by the
    deviation.

    The scores of a class become 0 if they are equal for all images, or if a batch has only one image.

    Args:
        scores: [N, C].
        how: ``"none"``, ``"whole_set"`` or ``"per_batch"``.
        batch_size: number of images per batch.
        order: int [N], the images in the order in which batches take them; by default that of the rows.
    """
    if how == "none":
        return scores
    if order is not None:
        found = np.empty_like(scores)
        found[order] = standardise(scores[order], how, batch_size)
        return found
    if how == "whole_set":
        batch_size = len(scores)
    pieces = [scores[start : start + batch_size] for start in range(0, len(scores), batch_size)]
    return np.concatenate([_z_score(piece) for piece in pieces])


def _z_score(scores: np.ndarray) -> np.ndarray:
    centred = scores - scores.mean(0)
    spread = scores.std(0)
    # a deviation below the rounding error of the scores counts as 0
    noise = 4 * np.finfo(scores.dtype).eps * np.abs(scores).max(0, initial=0)
    return np.where(spread > noise, centred / np.where(spread > noise, spread, 1), 0).astype(scores.dtype)
