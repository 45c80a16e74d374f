"""Mean embeddings of several texts, which stand for a class in a method that compares cosines.

CLIP's and CheXzero's ensembles of prompts: the embeddings of the prompts are divided by their lengths,
averaged, and divided by the length of the average. BioViL averages before it divides.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional as F

from prior_bench.api import Features, Method
from prior_bench.errors import BenchError

TOLERANCE = 1e-3
"""Largest difference between two ways to the same score, relative to the largest score."""
COMPARED = 8
"""Number of texts that are compared."""
FIX = "take options.pooling 'mean' or 'max', which pool scores"


def mean_texts(pieces: Sequence[Features], groups: Sequence[Sequence[int]]) -> Features:
    """Return one vector for each group of texts: the normalised mean of their normalised embeddings.

    Args:
        pieces: features of the texts, chunk by chunk.
        groups: positions of texts, counted over all pieces.

    Returns:
        Global features [groups, D] of length 1, without local ones.
    """
    units = F.normalize(torch.cat([piece.global_ for piece in pieces]), dim=-1)
    means = torch.stack([units[list(group)].mean(0) for group in groups])
    return Features(F.normalize(means, dim=-1))


def require_cosine(method: Method, image: Features, text: Features, name: str) -> None:
    """Check that a method's similarity depends on nothing but the directions of the global vectors.

    Only then is the similarity to a mean vector defined. Scores of a few images and texts are compared with
    those of the same vectors at length 1, without local features, and text by text.

    Raises:
        BenchError: the similarity uses local features or lengths, or compares texts with each other.
    """
    scores = method.similarity(image, text)[:, :COMPARED]
    bare_image, bare = (Features(F.normalize(one.global_, dim=-1)) for one in (image, text))
    try:
        alone = [method.similarity(bare_image, Features(vector[None])) for vector in bare.global_[:COMPARED]]
    except (AttributeError, TypeError, ValueError):  # local features are missed
        alone = []
    if not alone or (torch.cat(alone, dim=1) - scores).abs().max() > TOLERANCE * scores.abs().max():
        raise BenchError(
            "options.pooling 'embedding' averages the embeddings of prompts, but this method's similarity is "
            "no function of the cosine of two global vectors alone",
            where=name,
            fix=FIX,
        )
