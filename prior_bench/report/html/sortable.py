"""Tables that a reader can sort: cells with a text and a sort key."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Value:
    """A cell: its text, its sort key (None is sorted last), and whether it is words."""

    text: str
    sort: float | None = None
    is_words: bool = False


@dataclass
class SortableTable:
    """A table that can be sorted. The first cell of a row is its heading.

    Attributes:
        caption: description of the values.
        columns: headings of the columns; the first is above the headings of the rows.
        rows: as many cells as there are columns.
    """

    caption: str
    columns: list[str]
    rows: list[list[Value]] = field(default_factory=list)


def number(value: float, digits: int = 1, text: str = "") -> Value:
    """Make a cell with a number, optionally with another text; a dash if it is not finite."""
    if not math.isfinite(value):
        return Value("–")
    return Value(text or f"{value:.{digits}f}", value)


def words(text: str) -> Value:
    """Make a cell with words, which is sorted alphabetically."""
    return Value(text, is_words=True)
