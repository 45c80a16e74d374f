"""MGCA's three alignments as functions of tensors: of instances, of tokens, and with prototypes.

Shapes: B pairs, N tokens of one side (words or patches), M of the other, D channels, K prototypes. All
embeddings are normalised.
"""

from __future__ import annotations

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from prior_bench.losses.contrastive import info_nce
from prior_bench.losses.gather import world_size

from ..precision import in_full_precision

# --- instances (ITA) ------------------------------------------------------------------------------------


def instance_alignment(
    image: Tensor, text: Tensor, temperature: float, local_negatives: bool = False
) -> tuple[Tensor, Tensor]:
    """InfoNCE image-to-text and text-to-image of [B, D] and [B, D].

    Args:
        local_negatives: without the pairs of other processes.
    """
    if not local_negatives:
        return info_nce(image, text, temperature)
    logits = F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T / temperature
    partner = torch.arange(len(logits), device=logits.device)
    return F.cross_entropy(logits, partner), F.cross_entropy(logits.T, partner)


@torch.no_grad()
def top_k_accuracy(image: Tensor, text: Tensor, k: int) -> Tensor:
    """Share of images and texts [B, D] whose partner is among the k most similar, scalar."""
    cosines = F.normalize(image, dim=-1) @ F.normalize(text, dim=-1).T
    partner = cosines.diagonal()
    found = [((scores > partner[:, None]).sum(1) < k).to(cosines.dtype) for scores in (cosines, cosines.T)]
    return (found[0].mean() + found[1].mean()) / 2


# --- tokens (CTA) ---------------------------------------------------------------------------------------


@in_full_precision
def token_logits(
    tokens: Tensor, others: Tensor, others_mask: Tensor | None, temperature: float, normalise: bool = True
) -> Tensor:
    """Similarity of a pair's tokens to what each of them finds in the other modality, over temperature.

    Token j gathers o_j, the softmax over k of <token_j, other_k> / temperature times the others. All that is
    asked of o_j follows from these dot products and the others' Gram matrix, so it is never made: where
    there are few others (words for patches) this costs M/D of the work.

    Args:
        tokens: [B, N, D], those that look.
        others: [B, M, D], those looked at.
        others_mask: bool [B, M], or None.
        temperature: of the attention, and divides the outcome.
        normalise: o_j to unit length.

    Returns:
        [B, N, N], row i and column j: <token_i, o_j> / temperature.
    """
    logits = tokens @ others.mT / temperature
    scores = logits
    if others_mask is not None:
        scores = logits.masked_fill(~others_mask[:, None], torch.finfo(logits.dtype).min)
    attention = scores.softmax(dim=-1)
    if normalise:
        squared = ((attention @ (others @ others.mT)) * attention).sum(-1, keepdim=True)
        attention = attention * squared.clamp(min=torch.finfo(squared.dtype).tiny).rsqrt()
    return logits @ attention.mT


@in_full_precision
def token_alignment(
    logits: Tensor, weights: Tensor, mask: Tensor | None, temperature: float
) -> tuple[Tensor, Tensor]:
    """Weighted InfoNCE between a pair's tokens and what each of them has gathered from the other side.

    Args:
        logits: [B, N, N], cosines over temperature; token i belongs to what token i gathered.
        weights: [B, N], 0 on padding; a pair's sum to 1.
        mask: bool [B, N], the tokens that are candidates; all where None.
        temperature: of the logits; below 0.03 float32 no longer holds the exponentials.

    Returns:
        Every token chooses among the gathered, and every gathered among the tokens; means over pairs.
    """
    logits = logits - 1 / temperature  # at most 0, so one exponential serves both directions
    powers, match = logits.exp(), logits.diagonal(dim1=1, dim2=2)
    if mask is None:
        totals = powers.sum(2), powers.sum(1)
    else:
        real = mask.to(powers.dtype)
        totals = torch.einsum("bij,bj->bi", powers, real), torch.einsum("bij,bi->bj", powers, real)
    floor = torch.finfo(powers.dtype).tiny  # a pair without tokens, whose weights are all 0
    to_gathered, to_tokens = (total.clamp(min=floor).log() - match for total in totals)
    return (weights * to_gathered).sum() / len(logits), (weights * to_tokens).sum() / len(logits)


# --- prototypes (CPA) -----------------------------------------------------------------------------------


@torch.no_grad()
@in_full_precision
def sinkhorn(scores: Tensor, epsilon: float, iterations: int = 3, local: bool = False) -> Tensor:
    """Soft assignment of the pairs of all processes to prototypes, which get equal shares of the pairs.

    Sinkhorn-Knopp on exp(scores / epsilon), as in SwAV (Caron et al. 2020, section 3.1).

    Args:
        scores: [B, K] cosines.
        epsilon: weight of the assignment's entropy; below 0.03 float32 no longer holds the exponentials.
        iterations: normalisations over prototypes and over pairs, in turn.
        local: balance over this process's pairs only.

    Returns:
        [B, K], each row sums to 1.
    """

    def over_processes(total: Tensor) -> Tensor:
        if not local and world_size() > 1:
            dist.all_reduce(total)
        return total

    codes = torch.exp((scores - 1) / epsilon)  # the common factor, which drops out, prevents overflow
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
    """Swapped prediction: the assignment of one modality is predicted from the other.

    Args:
        image, text: [B, D].
        prototypes: [K, D], normalised.
        temperature: of the prediction.
        epsilon, iterations, local: see :func:`sinkhorn`.

    Returns:
        The cross entropies of the images' assignment predicted from the texts, and the reverse.
    """
    image_scores, text_scores = image @ prototypes.T, text @ prototypes.T
    image_codes = sinkhorn(image_scores, epsilon, iterations, local=local)
    text_codes = sinkhorn(text_scores, epsilon, iterations, local=local)
    from_text = F.cross_entropy(text_scores / temperature, image_codes)
    from_image = F.cross_entropy(image_scores / temperature, text_codes)
    return from_text, from_image
