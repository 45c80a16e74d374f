"""Sentences from tokens, as padded tensors [B, S, D] with a mask. Padding never changes a result."""

import torch
import torch.distributed as dist
from torch import Tensor

from prior_bench.api import TextBatch
from prior_bench.losses.gather import world_size


def most_sentences(text: TextBatch) -> int:
    """Return S, the highest sentence number in a batch (at least 1), without waiting for a GPU."""
    return max(int(text.on_host.sentence_index.max()), 1)


def gather_sentences(
    tokens: Tensor, sentence_index: Tensor, most: int | None = None
) -> tuple[Tensor, Tensor]:
    """Compute each sentence as the mean of its tokens (PRIOR's sentence-wise representation).

    A number without tokens is skipped, and the later sentences move forward.

    Args:
        tokens: [B, L, D].
        sentence_index: int [B, L]; 1..n on the tokens of sentence n, below 1 elsewhere.
        most: S, if it is known; otherwise the host waits for ``sentence_index``.

    Returns:
        Sentences [B, S, D] with S the highest number in the batch (at least 1), and their mask, bool
        [B, S]. Padded sentences are zero.
    """
    member = _members(sentence_index, most)
    count = member.sum(-1)
    weight = member.to(tokens.dtype) / count.clamp(min=1)[..., None]
    return weight @ tokens, count > 0


def _members(sentence_index: Tensor, most: int | None) -> Tensor:
    """Return bool [B, S, L], the tokens of each sentence."""
    most = max(int(sentence_index.max()), 1) if most is None else most
    numbers = torch.arange(1, most + 1, device=sentence_index.device)
    return _close_gaps(sentence_index[:, None, :] == numbers[:, None])


def _close_gaps(member: Tensor) -> Tensor:
    empty = ~member.any(-1)
    order = empty.long().argsort(dim=1, stable=True)
    return member.gather(1, order[..., None].expand_as(member))


_FACTOR = 6364136223846793005
"""Multiplier of the polynomial hash (Knuth's 64-bit generator); it is odd, so that no token is lost."""


def sentence_codes(input_ids: Tensor, sentence_index: Tensor, most: int | None = None) -> Tensor:
    """Compute a number for each sentence that depends only on its tokens and their order.

    It is a polynomial hash with 64 bits: two different sentences have the same number with a probability of
    about 2**-64.

    Args:
        input_ids: int64 [B, L].
        sentence_index: int64 [B, L]; 1..n on the tokens of sentence n, below 1 elsewhere.
        most: S, if it is known; otherwise the host waits for ``sentence_index``.

    Returns:
        int64 [B, S], in the order of :func:`gather_sentences`; 0 if a report has no such sentence.
    """
    member = _members(sentence_index, most)
    codes = torch.zeros(member.shape[:2], dtype=torch.int64, device=input_ids.device)
    for place in range(input_ids.shape[1]):
        inside = member[..., place]
        codes = torch.where(inside, codes * _FACTOR + input_ids[:, place, None] + 1, codes)
    return codes


def reports_with(codes: Tensor, mask: Tensor) -> Tensor:
    """Return bool [B, S, B], true at (b, s, c) if report c of a batch contains sentence s of report b.

    Args:
        codes: int64 [B, S] from :func:`sentence_codes`.
        mask: bool [B, S], True for real sentences.
    """
    same = codes[:, :, None, None] == codes[None, None]  # [B, S, B, S]
    return (same & mask[None, None]).any(-1)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Average [B, S, ...] over axis 1, where the mask, bool [B, S], is true; 0 if it is true nowhere."""
    mask = mask.reshape(*mask.shape, *[1] * (values.ndim - 2))
    return values.masked_fill(~mask, 0).sum(1) / mask.sum(1).clamp(min=1)


def mean_where(values: Tensor, mask: Tensor) -> Tensor:
    """Compute the mean of the entries in the mask over all processes, a scalar; 0 if there are none.

    Averaged over processes, value and gradient are equal to those of one process with the whole batch. The
    average of the processes' means would give more weight to the entries of a process with few entries.

    Args:
        values: any shape.
        mask: bool, of the same shape.
    """
    share = over_processes(mask.sum()) / world_size()  # mean number of entries per process
    return values.masked_fill(~mask, 0).sum() / share.clamp(min=1 / world_size())


def over_processes(total: Tensor) -> Tensor:
    """Sum a tensor without gradient over all training processes."""
    if world_size() > 1:
        total = total.clone()
        dist.all_reduce(total)
    return total


def with_sep(text: TextBatch) -> Tensor:
    """Return the sentence index [B, L], in which [SEP] of one-sentence texts belongs to the sentence."""
    index = text.sentence_index
    single = index.amax(1, keepdim=True) <= 1
    special = (text.attention_mask == 1) & (index < 1)
    special[:, 0] = False  # [CLS]
    return torch.where(special & single, 1, index)
