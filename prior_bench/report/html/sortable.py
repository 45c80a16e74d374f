"""Tables that a reader can sort: cells with a text and what they are sorted by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Value:
    """A cell: what is read, what it is sorted by (None: after all others), and whether it is words."""

    text: str
    sort: float | None = None
    is_words: bool = False


@dataclass
class SortableTable:
    """A table; the first cell of a row is its heading.

    Attributes:
        caption: what the numbers are.
        columns: headings, the first over the rows' headings.
        rows: as many cells as there are columns.
    """

    caption: str
    columns: list[str]
    rows: list[list[Value]] = field(default_factory=list)


def number(value: float, digits: int = 1, text: str = "") -> Value:
    """A number, with another text than its own where one is given; a dash where it is not finite."""
    if not math.isfinite(value):
        return Value("–")
    return Value(text or f"{value:.{digits}f}", value)


def words(text: str) -> Value:
    """A cell of words, sorted by the alphabet."""
    return Value(text, is_words=True)
