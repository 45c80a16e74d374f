"""The report tokenizer, which turns sentences into padded ids with the sentence and word of each token."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from prior_bench.api import TextBatch
from prior_bench.encoders.hub import load_from_hub, quiet
from prior_bench.errors import BenchError
from prior_bench.io.panics import panics_named

TEXTS_AT_ONCE = 1000
"""Texts whose characters are looked at together."""
BERT_SPECIALS = {"pad": "[PAD]", "unknown": "[UNK]", "first": "[CLS]", "last": "[SEP]", "mask": "[MASK]"}


class ReportTokenizer:
    """A tokenizer for reports, which are tuples of sentences.

    The sentences of a report are joined by spaces and tokenised together. The character offsets of the tokens
    tell their sentences and words. A report with more than ``max_tokens`` tokens is truncated, but keeps its
    final [SEP].

    Args:
        backend: a fast tokenizer that adds [CLS] and [SEP] (or its model's equivalents).
        pad_token: the padding token of the backend.
        max_tokens: longest output, including special tokens.
    """

    def __init__(self, backend: Tokenizer, pad_token: str = "[PAD]", max_tokens: int = 256):
        self.pad_token, self.max_tokens = pad_token, max_tokens
        self._backend = Tokenizer.from_str(backend.to_str())  # a copy, which is configured here
        self._backend.no_padding()
        self._backend.enable_truncation(max_tokens)
        self._pad_id = self._backend.token_to_id(pad_token)
        if self._pad_id is None:
            raise BenchError(f"the tokenizer has no padding token '{pad_token}'", where="tokenizer")

    @property
    def vocab_size(self) -> int:
        """The number of token ids, including added tokens."""
        return self._backend.get_vocab_size()

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise B texts to tensors [B, L]; all are padded to the length L of the longest text."""
        rows = [self._encode(text) for text in texts]
        length = max(len(row[0]) for row in rows)
        fill = (self._pad_id, 0, -1, -1)
        columns = [
            torch.tensor([row[k] + [fill[k]] * (length - len(row[k])) for row in rows])
            for k in range(len(fill))
        ]
        return TextBatch(*columns)

    def lengths(self, texts: Iterable[tuple[str, ...]]) -> list[int]:
        """Return the number of tokens of each text after truncation, including [CLS] and [SEP]."""
        return [len(self._backend.encode(" ".join(text)).ids) for text in texts]

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """Return the tokens of ids as text, for display."""
        return [self._backend.id_to_token(int(i)) or "" for i in ids]

    def _encode(self, text: tuple[str, ...]) -> tuple[list[int], ...]:
        with panics_named("the tokenizer"):
            encoding = self._backend.encode(" ".join(text))
        starts, position = [], 0
        for sentence in text:
            starts.append(position)
            position += len(sentence) + 1
        sentences, current = [], 0
        for (start, _), word in zip(encoding.offsets, encoding.word_ids, strict=True):
            while word is not None and current < len(starts) and starts[current] <= start:
                current += 1  # an empty sentence has no token but keeps its number
            sentences.append(-1 if word is None else current)
        words = [-1 if word is None else word for word in encoding.word_ids]
        return encoding.ids, encoding.attention_mask, sentences, words

    # --- constructors ---------------------------------------------------------------------------------

    @classmethod
    def train(
        cls, corpus: Iterable[tuple[str, ...]], vocab_size: int, max_tokens: int = 256
    ) -> ReportTokenizer:
        """Train a lower-casing WordPiece tokenizer on reports; the same corpus gives the same tokenizer.

        Raises:
            BenchError: the corpus is empty.
        """
        texts = [" ".join(text) for text in corpus]
        if not any(texts):
            raise BenchError("the corpus has no text to train a tokenizer on", where="tokenizer")
        specials = list(BERT_SPECIALS.values())
        draft = _word_piece({})
        letters = sorted(
            {c for raw in characters(texts) for c in draft.normalizer.normalize_str(raw) if not c.isspace()}
        )
        # As special tokens, the letters get their ids in this order instead of the order of a hash map. Ids
        # break ties between merges, so that otherwise every run would learn another vocabulary.
        alphabet = [piece for letter in letters for piece in (letter, f"##{letter}")]
        trainer = trainers.WordPieceTrainer(
            vocab_size=vocab_size, special_tokens=specials + alphabet, show_progress=False
        )
        draft.train_from_iterator(texts, trainer)
        trained = _word_piece(draft.get_vocab())
        trained.add_special_tokens(specials)
        trained.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[(t, trained.token_to_id(t)) for t in ("[CLS]", "[SEP]")]
        )
        return cls(trained, "[PAD]", max_tokens)

    @classmethod
    def from_pretrained(cls, name: str, max_tokens: int = 256) -> ReportTokenizer:
        """Load the fast tokenizer of a hub name or local folder.

        Raises:
            BenchError: the tokenizer cannot be obtained or has no fast version.
        """
        from transformers import AutoTokenizer

        with quiet("transformers", "huggingface_hub"):
            tokenizer = load_from_hub(AutoTokenizer, name, "the tokenizer of", use_fast=True)
        if not tokenizer.is_fast:
            raise BenchError(f"'{name}' has no fast tokenizer", where="text_encoder.name")
        return cls(tokenizer.backend_tokenizer, tokenizer.pad_token, max_tokens)

    def to_json(self) -> str:
        """Return the whole tokenizer as one JSON string."""
        return json.dumps(
            {
                "pad_token": self.pad_token,
                "max_tokens": self.max_tokens,
                "backend": json.loads(self._backend.to_str()),
            }
        )

    @classmethod
    def from_json(cls, text: str) -> ReportTokenizer:
        """Restore a tokenizer from the output of :meth:`to_json`."""
        values = json.loads(text)
        return cls(
            Tokenizer.from_str(json.dumps(values["backend"])), values["pad_token"], values["max_tokens"]
        )

    def __getstate__(self) -> str:
        return self.to_json()

    def __setstate__(self, state: str) -> None:
        self.__dict__ = self.from_json(state).__dict__


def characters(texts: Sequence[str]) -> list[str]:
    """Return the distinct characters of texts, sorted."""
    seen = np.zeros(sys.maxunicode + 1, dtype=bool)
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        some = "".join(texts[start : start + TEXTS_AT_ONCE])
        seen[np.frombuffer(some.encode("utf-32-le", "surrogatepass"), dtype="<u4")] = True
    return [chr(code) for code in np.flatnonzero(seen)]


def _word_piece(vocabulary: dict[str, int]) -> Tokenizer:
    unknown = BERT_SPECIALS["unknown"]
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token=unknown) if vocabulary else models.WordPiece(unk_token=unknown)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer
