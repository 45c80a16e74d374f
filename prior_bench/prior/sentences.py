"""From tokens to sentences: padded [B, S, D] with a mask. Padding never changes a result."""

import torch
import torch.distributed as dist
from torch import Tensor

from prior_bench.api import TextBatch
from prior_bench.losses.gather import world_size


def gather_sentences(tokens: Tensor, sentence_index: Tensor) -> tuple[Tensor, Tensor]:
    """Each sentence as the mean of its tokens (PRIOR's sentence-wise representation).

    A number without a token is skipped, and the later sentences move up.

    Args:
        tokens: [B, L, D].
        sentence_index: int [B, L]; 1..n on the tokens of sentence n, below 1 elsewhere.

    Returns:
        Sentences [B, S, D] with S the highest number in the batch (at least 1), and their mask, bool
        [B, S]. Padded sentences are zero.
    """
    numbers = torch.arange(1, max(int(sentence_index.max()), 1) + 1, device=tokens.device)
    member = sentence_index[:, None, :] == numbers[:, None]  # [B, S, L]
    member = _close_gaps(member)
    count = member.sum(-1)
    weight = member.to(tokens.dtype) / count.clamp(min=1)[..., None]
    return weight @ tokens, count > 0


def _close_gaps(member: Tensor) -> Tensor:
    empty = ~member.any(-1)
    order = empty.long().argsort(dim=1, stable=True)
    return member.gather(1, order[..., None].expand_as(member))


_FACTOR = 6364136223846793005
"""Multiplier of the polynomial hash: odd, so that no token is lost (Knuth's 64-bit generator)."""


def sentence_codes(input_ids: Tensor, sentence_index: Tensor) -> Tensor:
    """Give each sentence a number that depends on its tokens and their order alone.

    It is a polynomial hash in 64 bits: different sentences have the same number with a chance of about
    2**-64 per pair.

    Args:
        input_ids: int64 [B, L].
        sentence_index: int64 [B, L]; 1..n on the tokens of sentence n, below 1 elsewhere.

    Returns:
        int64 [B, S], in the order of :func:`gather_sentences`; 0 where a report has no such sentence.
    """
    numbers = torch.arange(1, max(int(sentence_index.max()), 1) + 1, device=input_ids.device)
    member = _close_gaps(sentence_index[:, None, :] == numbers[:, None])  # [B, S, L]
    codes = torch.zeros(member.shape[:2], dtype=torch.int64, device=input_ids.device)
    for place in range(input_ids.shape[1]):
        inside = member[..., place]
        codes = torch.where(inside, codes * _FACTOR + input_ids[:, place, None] + 1, codes)
    return codes


def reports_with(codes: Tensor, mask: Tensor) -> Tensor:
    """Which reports of a batch hold which sentence: bool [B, S, B], true at (b, s, c) if c holds it.

    Args:
        codes: int64 [B, S] from :func:`sentence_codes`.
        mask: bool [B, S], the real sentences.
    """
    same = codes[:, :, None, None] == codes[None, None]  # [B, S, B, S]
    return (same & mask[None, None]).any(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real entries of axis 1: [B, S, ...] and bool [B, S] to [B, ...]; 0 where none is real."""
    mask = mask.reshape(*mask.shape, *[1] * (values.ndim - 2))
    return values.masked_fill(~mask, 0).sum(1) / mask.sum(1).clamp(min=1)


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the entries that count, however many each process holds: a scalar, 0 where none does.

    Averaged over processes, value and gradient are those of one process with the whole batch; the mean of
    the processes' own means would weigh the entries of a process that has few of them more.

    Args:
        values: any shape.
        mask: bool, of the same shape.
    """
    share = over_processes(mask.sum()) / world_size()  # how many count per process, on average
    return values.masked_fill(~mask, 0).sum() / share.clamp(min=1 / world_size())


def over_processes(total: Tensor) -> Tensor:
    """The sum of a tensor without gradient over all training processes."""
    if world_size() > 1:
        total = total.clone()
        dist.all_reduce(total)
    return total


def with_sep(text: TextBatch) -> Tensor:
    """Return the sentence index [B, L] with [SEP] in the sentence of one-sentence texts."""
    index = text.sentence_index
    single = index.amax(1, keepdim=True) <= 1
    special = (text.attention_mask == 1) & (index < 1)
    special[:, 0] = False  # [CLS]
    return torch.where(special & single, 1, index)
