"""Convert the token ids of a fixture, whose JSON has the vocabulary, to the batch of our tokenizer."""

from __future__ import annotations

import torch
from torch import Tensor

from prior_bench.api import TextBatch
from prior_bench.encoders.tokenizer import BERT_SPECIALS

NO_WORDS = tuple(BERT_SPECIALS[role] for role in ("pad", "first", "last"))
"""Tokens that belong to no word. ``[UNK]`` and ``[MASK]`` each stand for a word, and ``[`` is a word."""


def text_batch(ids: Tensor, vocabulary: dict[str, int]) -> TextBatch:
    """Make a batch from ids [B, L]; pieces that start with ``##`` continue a word."""
    piece = {number: name for name, number in vocabulary.items()}
    names = [[piece[int(number)] for number in row] for row in ids]
    real = torch.tensor([[name != BERT_SPECIALS["pad"] for name in row] for row in names])
    words: list[list[int]] = []
    for row in names:
        count = -1
        words.append([])
        for name in row:
            count += name not in NO_WORDS and not name.startswith("##")
            words[-1].append(-1 if name in NO_WORDS else count)
    word_index = torch.tensor(words)
    sentence_index = torch.where(word_index >= 0, 1, -1)
    return TextBatch(ids, real.long(), sentence_index, word_index)
