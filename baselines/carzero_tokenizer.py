"""The tokenizer of CARZero: texts are lower-cased words without punctuation, and one-word sentences go."""

from __future__ import annotations

import re
from collections.abc import Iterable

from prior_bench.api import TextBatch
from prior_bench.encoders.tokenizer import ReportTokenizer

END = re.compile(r"[0-9]*\.")
"""What ends a sentence: a full stop, with the number before it."""
WORD = re.compile(r"\w+")


def plain_sentences(text: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sentences of a text as CARZero reads them (``process_text`` of its code).

    They end at full stops, lose their punctuation and letters outside ASCII, and have at least two words. A
    text without any such sentence keeps its words here; the authors' code would leave nothing of it.
    """
    sentences = [WORD.findall(sentence.lower()) for sentence in END.split(" ".join(text))]
    kept = [words for words in sentences if len(words) > 1] or [words for words in sentences if words]
    plain = [[word.encode("ascii", "ignore").decode() for word in words] for words in kept]
    return tuple(" ".join(word for word in words if word) for words in plain)


class PlainTokenizer(ReportTokenizer):
    """A ReportTokenizer that reads texts as :func:`plain_sentences` gives them."""

    def __call__(self, texts: list[tuple[str, ...]]) -> TextBatch:
        """Tokenise B texts; see :class:`ReportTokenizer`."""
        return super().__call__([plain_sentences(text) for text in texts])

    def lengths(self, texts: Iterable[tuple[str, ...]]) -> list[int]:
        """Return the number of tokens of each text after truncation; see :class:`ReportTokenizer`."""
        return super().lengths(plain_sentences(text) for text in texts)
