"""MGCA's three alignments (instances, tokens, prototypes), as functions of tensors.

In shapes, B is the number of pairs, N of tokens of one modality (words or patches), M of tokens of the other,
D of channels and K of prototypes. All embeddings are normalised.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from prior_bench.losses.contrastive import info_nce
from prior_bench.losses.gather import world_size

from ..precision import in_full_precision

# --- instances (ITA) ------------------------------------------------------------------------------------


def instance_alignment(
    image: Tensor, text: Tensor, temperature: float, local_negatives: bool = False
) -> tuple[Tensor, Tensor]:
    """Compute InfoNCE image-to-text and text-to-image of [B, D] and [B, D].

    Args:
        image, text: embeddings of the pairs, each [B, D].
        temperature: divisor of the cosines.
        local_negatives: whether to use only pairs of this process as negatives.
    """
    if not local_negatives:
        return info_nce(image, text, temperature)
    logits = F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T / temperature
    partner = torch.arange(len(logits), device=logits.device)
    return F.cross_entropy(logits, partner), F.cross_entropy(logits.T, partner)


@torch.no_grad()
def top_k_accuracy(image: Tensor, text: Tensor, k: int) -> Tensor:
    """Compute the share of images and texts [B, D] whose partner is among the k most similar, a scalar."""
    cosines = F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
    partner = cosines.diagonal()
    found = [((scores > partner[:, None]).sum(1) < k).to(cosines.dtype) for scores in (cosines, cosines.T)]
    return (found[0].mean() + found[1].mean()) / 2


# --- tokens (CTA) ---------------------------------------------------------------------------------------


@in_full_precision
def token_logits(
    tokens: Tensor, others: Tensor, others_mask: Tensor | None, temperature: float, normalise: bool = True
) -> Tensor:
    """Compute similarities of a pair's tokens and their contexts in the other modality, over temperature.

    The context o_j of token j is the softmax over k of <token_j, other_k> / temperature, times the others.
    For few others (words for patches), o_j is never computed: everything needed follows from these dot
    products and the others' Gram matrix, with M/D of the work.

    Args:
        tokens: [B, N, D], tokens that attend.
        others: [B, M, D], tokens that are attended to.
        others_mask: bool [B, M], or None.
        temperature: temperature of the attention, and divisor of the result.
        normalise: whether to normalise o_j to unit length.

    Returns:
        [B, N, N], row i and column j: <token_i, o_j> / temperature.
    """
    logits = tokens @ others.mT / temperature
    scores = logits
    if others_mask is not None:
        scores = logits.masked_fill(~others_mask[:, None], torch.finfo(logits.dtype).min)
    attention = scores.softmax(dim=-1)
    if others.shape[1] > others.shape[2]:
        context = attention @ others
        context = F.normalize(context, dim=-1) if normalise else context
        return tokens @ (context / temperature).mT
    if normalise:
        squared = ((attention @ (others @ others.mT)) * attention).sum(-1, keepdim=True)
        attention = attention * squared.clamp(min=torch.finfo(squared.dtype).tiny).rsqrt()
    return logits @ attention.mT


@in_full_precision
def token_alignment(logits: Tensor, weights: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
    """Compute weighted InfoNCE between a pair's tokens and their contexts in the other modality.

    Args:
        logits: [B, N, N], cosines over temperature; token i belongs to context i. For temperatures below
            0.0125, their exponentials exceed float32.
        weights: [B, N], 0 for padding, with sum 1 for each pair.
        mask: bool [B, N], tokens that are candidates; None for all.

    Returns:
        The losses of tokens choosing among contexts and of contexts choosing among tokens, as means over
        pairs.
    """
    real = None if mask is None else mask.to(logits.dtype)
    *totals, match = _Exponentials.apply(logits, real)  # the same exponentials serve both directions
    floor = torch.finfo(logits.dtype).tiny  # for pairs without tokens, whose weights are all 0
    to_gathered, to_tokens = (total.clamp(min=floor).log() - match for total in totals)
    return (weights * to_gathered).sum() / len(logits), (weights * to_tokens).sum() / len(logits)


class _Exponentials(torch.autograd.Function):
    """Sums of exp(logits) over both axes, and the diagonal of the logits.

    Arguments are logits [B, N, N] and 0 or 1 for the tokens that count, [B, N], or None; results are the sums
    over the columns that count [B, N], over the rows that count [B, N], and the diagonal [B, N]. Left to
    autograd, the backward pass makes and adds whole matrices [B, N, N] for the diagonal.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, real: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        powers = logits.exp()
        ctx.save_for_backward(powers, real)
        match = logits.diagonal(dim1=1, dim2=2).clone()
        if real is None:
            return powers.sum(2), powers.sum(1), match
        return (powers @ real[..., None])[..., 0], (real[:, None] @ powers)[:, 0], match

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_rows: Tensor, of_columns: Tensor, of_match: Tensor) -> tuple[Tensor, None]:
        powers, real = ctx.saved_tensors
        rows, columns = of_rows[:, :, None], of_columns[:, None]
        if real is not None:
            rows, columns = rows * real[:, None], columns * real[..., None]
        gradient = (rows + columns).mul_(powers)
        gradient.diagonal(dim1=1, dim2=2).add_(of_match)
        return gradient, None


# --- prototypes (CPA) -----------------------------------------------------------------------------------


@torch.no_grad()
@in_full_precision
def sinkhorn(scores: Tensor, epsilon: float, iterations: int = 3, local: bool = False) -> Tensor:
    """Assign the pairs of all processes softly to prototypes, which get equal shares of the pairs.

    The method is Sinkhorn-Knopp on exp(scores / epsilon), as in SwAV (Caron et al. 2020, section 3.1).

    Args:
        scores: [B, K], cosines.
        epsilon: weight of the assignment's entropy; below 0.03, the exponentials exceed float32.
        iterations: number of alternating normalisations over prototypes and over pairs.
        local: whether to balance only over the pairs of this process.

    Returns:
        [B, K]; the sum of each row is 1.
    """

    def over_processes(total: Tensor) -> Tensor:
        if not local and world_size() > 1:
            dist.all_reduce(total)
        return total

    codes = torch.exp((scores - 1) / epsilon)  # the common factor cancels out and prevents overflow
    for _ in range(iterations):
        codes = codes / over_processes(codes.sum(dim=0, keepdim=True))
        codes = codes / codes.sum(dim=1, keepdim=True)
    return codes


@in_full_precision
def prototype_alignment(
    image: Tensor,
    text: Tensor,
    prototypes: Tensor,
    temperature: float,
    epsilon: float,
    iterations: int = 3,
    local: bool = False,
) -> tuple[Tensor, Tensor]:
    """Compute the losses of swapped prediction: each modality predicts the other's assignment.

    Args:
        image, text: [B, D].
        prototypes: [K, D], normalised.
        temperature: temperature of the prediction.
        epsilon, iterations, local: see :func:`sinkhorn`.

    Returns:
        The cross-entropies of the images' assignment predicted from the texts, and the reverse.
    """
    image_scores, text_scores = image @ prototypes.T, text @ prototypes.T
    image_codes = sinkhorn(image_scores, epsilon, iterations, local=local)
    text_codes = sinkhorn(text_scores, epsilon, iterations, local=local)
    from_text = F.cross_entropy(text_scores / temperature, image_codes)
    from_image = F.cross_entropy(image_scores / temperature, text_codes)
    return from_text, from_image
