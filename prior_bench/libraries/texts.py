"""Tokenise reports with the tokenizer of another library's model, by the rules of that model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from prior_bench.api import TextBatch
from prior_bench.errors import BenchError
from prior_bench.io.panics import panics_named

VOCABULARIES = (
    *("tokenizer.json", "vocab.txt", "vocab.json"),
    *("spiece.model", "sentencepiece.bpe.model", "tokenizer.model"),
)
"""Files with the vocabulary of a tokenizer."""
FIX = "put the tokenizer's files into the folder, or give --tokenizer FOLDER"


class LibraryTokenizer:
    """The tokenizer of a two-tower model, as the ``tokenizer`` of a text encoder.

    The sentences of a text are joined by spaces. Texts that are too long are truncated.

    Args:
        encode: function from B texts to (token ids, mask), both int64 [B, L].
        max_tokens: longest text in tokens, which goes into descriptions.
    """

    def __init__(self, encode: Callable[[list[str]], tuple[torch.Tensor, torch.Tensor]], max_tokens: int):
        self._encode, self.max_tokens = encode, max_tokens

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise B texts; the numbers of sentences and words, which no two-tower model uses, are -1."""
        with panics_named("its tokenizer"):
            ids, mask = self._encode([" ".join(text) for text in texts])
        unknown = torch.full_like(ids, -1)
        return TextBatch(ids, mask, unknown, unknown)


def require_vocabulary(folder: Path) -> None:
    """Raise BenchError if a folder has no vocabulary: transformers would make an empty tokenizer."""
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise BenchError("there is no vocabulary of a tokenizer", where=folder, fix=FIX)


def transformers_encoding(
    tokenizer: Any, max_tokens: int, pad_to_longest: bool
) -> Callable[[list[str]], tuple[torch.Tensor, torch.Tensor]]:
    """Return the encoding of a tokenizer of transformers.

    Args:
        tokenizer: the tokenizer.
        max_tokens: longest text in tokens.
        pad_to_longest: pad to the longest text of a batch instead of to ``max_tokens``.
    """

    def encode(texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        padding = True if pad_to_longest else "max_length"
        batch = tokenizer(
            texts,
            padding=padding,
            truncation=True,
            max_length=max_tokens,
            return_tensors="pt",
            return_attention_mask=True,
        )
        return batch["input_ids"], batch["attention_mask"]

    return encode
