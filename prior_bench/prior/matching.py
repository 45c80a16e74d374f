"""LAM with sentences that choose among the patches (an extension that is ours)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.prior.alignment import SigmoidCrossAttention
from prior_bench.prior.sentences import masked_mean

SHARPNESS = 10.0
"""Factor of the cosines in the softmax over patches."""


class MatchedCrossAttention(SigmoidCrossAttention):
    """Cross-attention in which a sentence attends to the patches that match it best.

    A patch matches a sentence by the cosine of its key and the sentence's query. The attention to the patches
    is the softmax of these cosines, and a sentence agrees with an image by their soft maximum, as in
    multiple-instance learning: one patch that shows what the sentence says is enough.
    """

    def text_attention(self, patches: Tensor, sentences: Tensor) -> Tensor:
        """Compute how much each sentence attends to each patch, [B, S, N]; the sum over patches is 1."""
        queries, keys = self._directions(patches, sentences)
        return (SHARPNESS * queries @ keys.mT).softmax(-1)

    def agreement(self, patches: Tensor, sentences: Tensor) -> Tensor:
        """Compute how well every sentence matches its best patches in every image, [B, S, B] in [-1, 1]."""
        queries, keys = self._directions(patches, sentences)
        return soft_maximum(torch.einsum("bsd,cnd->bscn", queries, keys))

    def mean_attention(self, patches: Tensor, sentences: Tensor, mask: Tensor, chunk: int = 16) -> Tensor:
        """Compute the agreement of every image and every text, averaged over the sentences, [I, T].

        The softmax over patches has the same mean for every image, so that it cannot be averaged as the
        sigmoid is.
        """
        queries, keys = self._directions(patches, sentences)
        rows = [torch.einsum("tsd,ind->tsin", queries, some) for some in keys.split(chunk)]
        return torch.cat([masked_mean(soft_maximum(cosines), mask).T for cosines in rows])

    def _directions(self, patches: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """Queries [T, S, D] and keys [I, N, D] of length 1."""
        return F.normalize(self.query2(sentences), dim=-1), F.normalize(self.key1(patches), dim=-1)


def soft_maximum(cosines: Tensor) -> Tensor:
    """Compute the logarithm of the mean exponential over the last axis, with :data:`SHARPNESS`.

    It lies between the mean and the maximum.
    """
    return ((SHARPNESS * cosines).logsumexp(-1) - math.log(cosines.shape[-1])) / SHARPNESS
