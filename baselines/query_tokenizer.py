"""The tokenizer of MedKLIP and MAVL: texts have no [SEP], and of MAVL several parts."""

from __future__ import annotations

import json
from typing import Any

from tokenizers import Tokenizer, processors

from prior_bench.api import TextBatch
from prior_bench.encoders.tokenizer import BERT_SPECIALS, ReportTokenizer
from prior_bench.errors import BenchError


class QueryTokenizer(ReportTokenizer):
    """A ReportTokenizer that adds [CLS] alone, and makes one row of tokens for each part of a text.

    The parts are the lines of the text; its sentences, too, are on lines of their own. With one part, a text
    is not divided.

    Args:
        backend, pad_token, max_tokens: as for :class:`ReportTokenizer`.
        parts: number of lines that each text must have.
    """

    def __init__(self, backend: Tokenizer, pad_token: str = "[PAD]", max_tokens: int = 256, parts: int = 1):
        super().__init__(backend, pad_token, max_tokens)
        self.parts, first = parts, BERT_SPECIALS["first"]
        self._backend.post_processor = processors.TemplateProcessing(
            single=f"{first} $A", special_tokens=[(first, self._backend.token_to_id(first))]
        )

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise B texts to tensors [B * parts, L], the parts of a text one after the other.

        Raises:
            BenchError: a text has another number of parts.
        """
        if self.parts == 1:
            return super().__call__(texts)
        return super().__call__([(line,) for text in texts for line in self._lines(text)])

    def to_json(self) -> str:
        """Return the whole tokenizer as one JSON string."""
        return json.dumps({**json.loads(super().to_json()), "parts": self.parts})

    @classmethod
    def from_json(cls, text: str) -> QueryTokenizer:
        """Restore a tokenizer from the output of :meth:`to_json`, or make one of a ReportTokenizer's."""
        return cls.of(json.loads(text))

    @classmethod
    def of(cls, values: dict[str, Any], **further: Any) -> QueryTokenizer:
        """Make a tokenizer of the values of :meth:`to_json`, with other arguments in ``further``."""
        arguments: dict[str, Any] = {
            key: values[key] for key in ("pad_token", "max_tokens", "parts") if key in values
        }
        return cls(Tokenizer.from_str(json.dumps(values["backend"])), **(arguments | further))

    def _lines(self, text: tuple[str, ...]) -> list[str]:
        lines = "\n".join(text).split("\n")
        if len(lines) != self.parts:
            shown = " ".join(text)[:60]
            raise BenchError(
                f"a text has {len(lines)} line(s), but a finding is {self.parts} lines: {shown!r}",
                where="prompts",
                fix="give prompts with so many lines: the description of the finding, then one line for each "
                "of its aspects (docs/zero_shot.md)",
            )
        return lines
