"""Split the prose of radiology reports into sentences by rules.

Reports have a style of their own: numbered lists, decimal sizes, "Dr. ___" after de-identification, and full
stops without a following space. General splitters fail on these; the rules here are few, and each has a test.
"""

from __future__ import annotations

import re

MARK = re.compile(r"_{2,}|X{4,}|\bX{3}\b")
"""Marks of de-identified text: ``___`` in MIMIC-CXR, ``XXXX`` in Open-i."""

_LINE_START = r"^\s*"
_AFTER_SENTENCE = r"(?<=[.!?:;])\s+|(?<=[^\d\s][.!?:;])"  # "0.8. Right" is a size, not item 8
_LIST_ITEM = re.compile(
    rf"(?:{_LINE_START}|{_AFTER_SENTENCE})[(#]?\d{{1,2}}[.)]+(?!\d)\s*(?=[A-Za-z_(])", re.M
)
_BULLET = re.compile(r"^\s*[-*•]\s+", re.M)
_GLUED = re.compile(r"(?<=[a-z_)\]])\.(?=[A-Z][a-z])")
_STOPS = re.compile(r"\.(?:\s*\.)+")
_END = re.compile(r"[.!?]+[\"')\]]*(?=\s+[\"'(\[]?(\w))|[。！？।۔؟]+[\"'）」』”]*()")
_END_LOWER = re.compile(r"[.!?]+[\"')\]]*(?=\s+\S)|[。！？।۔؟]+[\"'）」』”]*")
_NOT_AN_END = re.compile(r"(?:^|[\s(])(?:[A-Z]|(?i:dr|drs|mr|mrs|ms|prof|st|vs|e\.g|i\.e|cf|approx|fig))\.$")
LETTER = r"[^\W\d_]"
"""Pattern of a letter of any script."""
WIDE = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Ranges of scripts that put no blanks between words: Thai, Lao, Khmer, Japanese, Chinese."""
_LETTER = re.compile(LETTER)
LONGEST_RUN = 200
"""Blanks and full stops in a row that are kept: the time of the rules grows with the square of a run."""
_LONG_BLANK = re.compile(rf"\s{{{LONGEST_RUN + 1},}}")
_LONG_STOP = re.compile(rf"[.!?]{{{LONGEST_RUN + 1},}}")
_TITLE = 12
"""Characters at the end of a sentence among which a title or an initial is looked for."""


def without_long_runs(text: str) -> str:
    """Shorten runs of white space, of which paragraphs remain, and of full stops."""
    text = _LONG_BLANK.sub(lambda run: ("\n" * min(run[0].count("\n"), 2)) or " ", text)
    return _LONG_STOP.sub(lambda run: run[0][:LONGEST_RUN], text)


def split_sentences(text: str) -> tuple[str, ...]:
    """Return the sentences in order, with white space collapsed and list numbers removed.

    A blank line or a list number always ends a sentence. A full stop ends it if a capital, a digit or a
    de-identification mark follows (in a text without capitals: any character) and no title ("Dr."), initial
    or "vs." precedes. Letters of scripts without capitals count as capitals; the full stops of Chinese,
    Japanese, Hindi and Urdu need no blank behind them. Sentences without letters of any script, apart from
    de-identification marks, are dropped.
    """
    text = without_long_runs(text.replace("\r\n", "\n"))
    end = _END_LOWER if text == text.lower() else _END
    text = _LIST_ITEM.sub("\n\n", _BULLET.sub("\n\n", text))
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text):
        flat = _GLUED.sub(". ", _STOPS.sub(".", " ".join(paragraph.split())))
        found += [s for s in _cut(flat, end) if _LETTER.search(MARK.sub("", s))]
    return tuple(found)


def _cut(text: str, end: re.Pattern) -> list[str]:
    parts, start = [], 0
    for match in end.finditer(text):
        following = match.group(1) if match.re.groups else ""
        if following and following.islower():
            continue
        sentence = text[start : match.end()]
        if not _NOT_AN_END.search(sentence[-_TITLE:]):
            parts.append(sentence.strip())
            start = match.end()
    return [*parts, text[start:].strip()]


def normalise_marks(text: str, replacement: str = "___") -> str:
    """Replace every de-identification mark; ``""`` removes the marks and repairs the spacing."""
    text = MARK.sub(replacement, without_long_runs(text))
    if not replacement:
        text = re.sub(r"\s+([.,;:!?])", r"\1", re.sub(r"[^\S\n]+", " ", text))
    return text
