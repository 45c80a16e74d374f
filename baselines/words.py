"""Merge word pieces to words: rows of [CLS], the words in order and [SEP], each the sum of its pieces."""

from __future__ import annotations

import torch
from torch import Tensor

from prior_bench.api import TextBatch


def row_of_token(text: TextBatch) -> Tensor:
    """Return the row of each token, int64 [B, L]: [CLS] 0, the n words 1 to n, [SEP] n + 1, padding -1."""
    real, word = text.attention_mask.bool(), text.word_index
    last = word.amax(dim=1, keepdim=True) + 2
    rows = torch.where(word >= 0, word + 1, last)
    rows[:, 0] = 0
    return rows.masked_fill(~real, -1)


def word_counts(text: TextBatch) -> Tensor:
    """Count the words of each text, int64 [B], without [CLS] and [SEP]."""
    return text.word_index.amax(dim=1) + 1


def rows_needed(text: TextBatch) -> int:
    """Return the number of rows of a batch, without waiting for a GPU."""
    return int(row_of_token(text.on_host).max()) + 1


def merge_pieces(tokens: Tensor, rows: Tensor, width: int | None = None) -> Tensor:
    """Sum the tokens of each row.

    Args:
        tokens: [B, L, D], or [B, L] for one number per token.
        rows: int64 [B, L], see :func:`row_of_token`; -1 is left out.
        width: number of rows to return; by default the existing ones.

    Returns:
        [B, width, D] or [B, width]; rows without tokens are zero.
    """
    width = int(rows.max()) + 1 if width is None else width
    left_out = (rows < 0) | (rows >= width)
    index = rows.masked_fill(left_out, width)
    shape = (len(tokens), width + 1, *tokens.shape[2:])
    if tokens.dim() == 3:
        index = index.unsqueeze(-1).expand_as(tokens)
    return tokens.new_zeros(shape).scatter_add(1, index, tokens)[:, :width]


def columns_up_to(counts: Tensor, width: int, first: int = 0) -> Tensor:
    """Return bool [B, width], True in the columns ``first`` to ``counts`` - 1 of each row."""
    column = torch.arange(width, device=counts.device)
    return (column >= first) & (column < counts.unsqueeze(1))
