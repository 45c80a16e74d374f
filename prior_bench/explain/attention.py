"""The attention of each sentence of a report over the image, as computed by the method."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prior_bench.api import Features, TextBatch

WORDS = 2
"""Number of words of a sentence with maps of their own, for methods that attend word by word."""

SHORTEST_WORD = 4
"""Smallest number of letters of a word with a map of its own."""


@dataclass(frozen=True)
class Attention:
    """The attention of a sentence or word over the image.

    Attributes:
        text: the sentence or word.
        grid: float32 [G, G], values of the method.
        words: for methods that attend word by word, the words of the sentence with the most focused attention
            (lowest entropy), in the order of the text.
    """

    text: str
    grid: np.ndarray
    words: tuple[Attention, ...] = ()


def attention_of(
    method: Any, image: Features, text: Features, tokens: TextBatch, reports: list[tuple[str, ...]]
) -> list[list[Attention]] | None:
    """Compute the attention of each report's sentences over the image in the same row.

    Args:
        method: a :class:`prior_bench.api.Method`, whose ``attention`` is optional.
        image, text: features of B images and texts from the method.
        tokens: tokens of the texts.
        reports: sentences of the texts.

    Returns:
        The attention of the sentences of each row, except those that the tokenizer truncated. None if the
        method has no attention, or its local features are not on a square grid.
    """
    if not hasattr(method, "attention") or image.local is None or text.local is None:
        return None
    values = method.attention(image, text)
    if values is None or math.isqrt(values.shape[-1]) ** 2 != values.shape[-1]:
        return None
    side = math.isqrt(values.shape[-1])
    grids = values.float().cpu().numpy().reshape(*values.shape[:2], side, side)
    rows = _of_words if method.attention_over == "words" else _of_sentences
    return [rows(method, grids[i], _row(tokens, i), report) for i, report in enumerate(reports)]


def _row(tokens: TextBatch, i: int) -> TextBatch:
    return TextBatch(*(ids[i].cpu() for ids in tokens))


def _of_sentences(
    method: Any, grids: np.ndarray, tokens: TextBatch, report: tuple[str, ...]
) -> list[Attention]:
    return [Attention(report[n - 1], grid) for n, grid in zip(_present(tokens), grids, strict=False)]


def _of_words(method: Any, grids: np.ndarray, tokens: TextBatch, report: tuple[str, ...]) -> list[Attention]:
    pieces = method.text_encoder.tokenizer.tokens(tokens.input_ids.tolist())
    found = []
    for number in _present(tokens):
        numbers = tokens.word_index[tokens.sentence_index == number].unique().tolist()
        words = [
            Attention(_word(pieces, tokens.word_index == n), grids[n]) for n in numbers if 0 <= n < len(grids)
        ]
        words = [word for word in words if re.fullmatch(r"\w+", word.text)]  # no full stop, no [UNK]
        if words:
            mean = np.mean([word.grid for word in words], axis=0)
            found.append(Attention(report[number - 1], mean, _most_focused(words)))
    return found


def _present(tokens: TextBatch) -> list[int]:
    """Return the numbers of the sentences that have tokens."""
    return [n for n in tokens.sentence_index.unique().tolist() if n > 0]


def _word(pieces: list[str], member: Tensor) -> str:
    return "".join(pieces[i].removeprefix("##") for i in torch.nonzero(member)[:, 0].tolist())


def _most_focused(words: list[Attention]) -> tuple[Attention, ...]:
    long: dict[str, Attention] = {}
    for word in words:
        if len(word.text) >= SHORTEST_WORD:
            long.setdefault(word.text, word)
    chosen = sorted(long.values(), key=lambda word: _entropy(word.grid))[:WORDS]
    return tuple(word for word in words if any(word is one for one in chosen))


def _entropy(grid: np.ndarray) -> float:
    share = np.clip(grid, 1e-12, None) / np.clip(grid, 1e-12, None).sum()
    return float(-(share * np.log(share)).sum())
