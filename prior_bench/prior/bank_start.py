"""Initial prototypes from sentences: directions of k-means centres with the same length."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.errors import BenchError

LENGTHS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""Candidate lengths, in units of the sentences' median length."""


def start_from(sentences: Tensor, count: int, temperature: float, seed: int) -> Tensor:
    """Return prototypes [K, D] of the same length in the directions of the centres of K sentence clusters.

    Args:
        sentences: float32 [n, D], after the projection.
        count: K.
        temperature: temperature of the bank's softmax.
        seed: seed of k-means.

    Raises:
        BenchError: there are fewer different sentences than prototypes.
    """
    from sklearn.cluster import KMeans

    different = len(torch.unique(sentences, dim=0))
    if different < count:
        raise BenchError(
            f"the reports have {different} different sentences, too few to start {count} prototypes",
            where="PrototypesFromSentences",
            fix="read more reports, or lower method.prototypes",
        )
    clusters = KMeans(count, n_init=1, random_state=seed).fit(sentences.numpy())
    directions = F.normalize(torch.from_numpy(clusters.cluster_centers_), dim=-1)
    return common_length(directions, sentences, temperature) * directions


def common_length(directions: Tensor, sentences: Tensor, temperature: float) -> float:
    """Return the length of prototypes whose mixtures are closest to the sentences.

    Short prototypes make the softmax flat, so that all sentences get the same mixture. Long prototypes are
    far from every sentence. The length with the smallest mean absolute difference is in between.

    Args:
        directions: [K, D], of length 1.
        sentences: [n, D].
        temperature: temperature of the bank's softmax.
    """
    unit = float(sentences.norm(dim=-1).median())
    agreement = sentences @ directions.T

    def error(length: float) -> float:
        mixture = (length * agreement / temperature).softmax(-1) @ (length * directions)
        return float((mixture - sentences).abs().mean())

    return min((unit * factor for factor in LENGTHS), key=error)
