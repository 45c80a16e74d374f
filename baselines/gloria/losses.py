"""GLoRIA's local score and losses, as functions of tensors.

In shapes, I is the number of images, R of regions, T of texts, W of words and D of channels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from prior_bench.losses.gather import all_gather, rank, world_size

from ..precision import in_full_precision


def attend(
    regions: Tensor, words: Tensor, mask: Tensor, temp1: float, double_softmax: bool = False
) -> Tensor:
    """Compute the attention of each word to each region of each image (a_ij in the paper).

    Args:
        regions: [I, R, D].
        words: [T, W, D].
        mask: bool [T, W], True for words.
        temp1: inverse temperature of the softmax over the regions.
        double_softmax: see :class:`baselines.gloria.variants.GloriaVariant`.

    Returns:
        [I, T, W, R], with sum 1 over the regions; values of padded words are arbitrary.
    """
    return _attention(_dot_products(regions, temp1 * words), mask, temp1, double_softmax)


def word_scores(
    regions: Tensor, words: Tensor, mask: Tensor, temp1: float, double_softmax: bool = False
) -> Tensor:
    """Compute the cosine of each word and its context c_w, the sum of its attention times the regions.

    <c_w, t_w> is the mean of the dot products under the attention, and |c_w|^2 that of the regions' Gram
    matrix. Therefore c_w itself, the largest of all tensors, is never computed.

    Returns:
        [I, T, W]; values of padded words are arbitrary.
    """
    dots = _dot_products(regions, temp1 * words)
    attention = _attention(dots, mask, temp1, double_softmax)
    gram = regions @ regions.mT
    inner = (attention * dots).sum(-1)
    flat = attention.flatten(1, 2)  # [I, T * W, R]
    squared = ((flat @ gram) * flat).sum(-1).unflatten(1, dots.shape[1:3])
    floor = torch.finfo(squared.dtype).tiny
    length = temp1 * words.norm(dim=-1).clamp(min=1e-8)  # inner is temp1 times too large
    return inner * squared.clamp(min=floor).rsqrt() / length


def matching(
    regions: Tensor,
    words: Tensor,
    mask: Tensor,
    temp1: float,
    temp2: float,
    *,
    pool: str = "sum",
    divided: bool = True,
    double_softmax: bool = False,
    chunk: int | None = None,
) -> Tensor:
    """Compute the local score of every image and text: softly pooled word scores (Z in the paper).

    Args:
        regions: [I, R, D].
        words: [T, W, D].
        mask: bool [T, W].
        temp1: see :func:`attend`.
        temp2: sharpness of the pooling.
        pool: ``"sum"`` is log-sum-exp (paper), ``"mean"`` is log-sum-exp minus the logarithm of the number of
            words, ``"max"`` is the best word.
        divided: whether to divide by ``temp2``, which restores the scale of cosines.
        double_softmax: see :class:`baselines.gloria.variants.GloriaVariant`.
        chunk: number of texts at a time. Each chunk is computed again in the backward pass, so that memory
            grows with I x chunk x W x R. The result does not change.

    Returns:
        [I, T].
    """
    score = partial(
        _matching, temp1=temp1, temp2=temp2, pool=pool, divided=divided, double_softmax=double_softmax
    )
    if chunk is None or chunk >= len(words):
        return score(regions, words, mask)
    if torch.is_grad_enabled():
        score = partial(checkpoint, score, use_reentrant=False)
    pieces = zip(words.split(chunk), mask.split(chunk), strict=True)
    return torch.cat([score(regions, *piece) for piece in pieces], dim=1)


def local_loss(
    regions: Tensor, words: Tensor, mask: Tensor, temp3: float, score: Callable[..., Tensor]
) -> tuple[Tensor, Tensor]:
    """Compute the cross-entropy of finding the partner by the local score among the pairs of all processes.

    Args:
        regions: [B, R, D], regions of the images.
        words: [B, W, D], words of their texts.
        mask: bool [B, W].
        temp3: factor of the score.
        score: function ``(regions, words, mask) -> [I, T]``, such as :func:`matching`.

    Returns:
        The losses image-to-text (each image chooses among all texts) and text-to-image.
    """
    partner = torch.arange(len(regions), device=regions.device) + rank() * len(regions)
    if world_size() == 1:
        by_image = score(regions, words, mask)
        by_text = by_image.T
    else:
        by_image = score(regions, *_gather_words(words, mask))
        by_text = score(all_gather(regions), words, mask).T
    return F.cross_entropy(temp3 * by_image, partner), F.cross_entropy(temp3 * by_text, partner)


def _dot_products(regions: Tensor, words: Tensor) -> Tensor:
    return (words.flatten(0, 1) @ regions.mT).unflatten(1, words.shape[:2])  # [I, T, W, R]


def _attention(dots: Tensor, mask: Tensor, temp1: float, double_softmax: bool) -> Tensor:
    """Compute the attention from dot products times ``temp1``."""
    if not double_softmax:
        return dots.softmax(dim=3)
    padding = torch.zeros_like(mask, dtype=dots.dtype)
    padding = padding.masked_fill(~mask, torch.finfo(dots.dtype).min / 2)[..., None]
    return (temp1 * (dots / temp1 + padding).softmax(dim=2)).softmax(dim=3)


@in_full_precision
def _matching(
    regions: Tensor,
    words: Tensor,
    mask: Tensor,
    *,
    temp1: float,
    temp2: float,
    pool: str,
    divided: bool,
    double_softmax: bool,
) -> Tensor:
    scores = temp2 * word_scores(regions, words, mask, temp1, double_softmax)
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    if pool == "max":
        pooled = scores.amax(dim=-1)
    else:
        pooled = scores.logsumexp(dim=-1)
        if pool == "mean":
            pooled = pooled - mask.sum(-1).clamp(min=1).to(pooled.dtype).log()
    return pooled / temp2 if divided else pooled


def _gather_words(words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Gather the words of all processes, padded to the longest text."""
    width = torch.full((), words.shape[1], device=words.device)
    dist.all_reduce(width, op=dist.ReduceOp.MAX)
    missing = int(width) - words.shape[1]
    words, mask = F.pad(words, (0, 0, 0, missing)), F.pad(mask, (0, missing))
    return all_gather(words), all_gather(mask.to(torch.uint8)).bool()
