"""The rule that decides what a column of a user's table is, from its values alone.

An empty field is blank and decides nothing. The first line that holds for the other values decides:

1. ``empty``: there are none.
2. ``binary``: each is 1 or 0 (also 1.0, true, false): a label.
3. ``uncertain``: each is 1, 0 or -1: a label, once ``uncertain=`` says what -1 means.
4. ``almost``: both 1 and 0 occur, and all but :data:`STRAY` of the values (but for one at least) are 1, 0
   or -1: a label with a slip.
5. ``soft``: numbers from 0 to 1.
6. ``numbers``: numbers.
7. ``names``: 2 to :data:`MOST_CLASSES` different texts.
8. ``text``: anything else.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

STRAY = 0.05
"""Largest share of values other than 1, 0 and -1 for a column to be taken as a label with slips."""
ENOUGH = 5
"""Smallest number of values 1, 0 or -1 for that."""
MOST_CLASSES = 50
"""Largest number of classes that a column of names can have."""
ANSWERS = (
    {"yes", "no"}, {"y", "n"}, {"positive", "negative"}, {"pos", "neg"}, {"present", "absent"}, {"+", "-"},
    {"t", "f"}, {"ja", "nein"}, {"oui", "non"}, {"si", "no"}, {"sí", "no"}, {"sim", "não"}, {"да", "нет"},
    {"是", "否"}, {"有", "无"},
)  # fmt: skip
"""Pairs of words, in lower case, that answer a question as labels do."""
_WITH_COMMA = re.compile(r"-?[01],0+")


@dataclass(frozen=True)
class ColumnKind:
    """What a column is.

    Attributes:
        kind: name of the kind, see above.
        values: number of rows of each value, the most frequent first.
        row: first row with a value that is not allowed in a label, or None.
        wrong: number of rows with such values.
    """

    kind: str
    values: dict[str, int]
    row: int | None = None
    wrong: int = 0

    @property
    def answers(self) -> bool:
        """Whether the values are words like yes and no."""
        return {value.lower() for value in self.values} in ANSWERS

    def text(self) -> str:
        """Describe the kind and the values."""
        some = ", ".join(f"{value} {count}" for value, count in list(self.values.items())[:4])
        more = ", …" if len(self.values) > 4 else ""
        match self.kind:
            case "empty":
                return "no values"
            case "soft":
                return f"numbers between 0 and 1, not 1 or 0 ({some}{more})"
            case "numbers":
                numbers = [float(value) for value in self.values]
                return f"numbers, {len(numbers)} values from {min(numbers):g} to {max(numbers):g}"
            case "names":
                return f"names, {len(self.values)} values ({some}{more})"
            case "text":
                return f"text, {len(self.values)} values"
        return some + more


def kind_of(column: pd.Series, *, allow: tuple[float, ...] = (0.0, 1.0)) -> ColumnKind:
    """Decide what a column of texts is.

    Args:
        column: its texts, NaN if blank.
        allow: label values that are no mistake; the first row with another value is noted.
    """
    counts = column.value_counts(sort=False)
    counts = counts.iloc[np.lexsort((counts.index, -counts.to_numpy()))]
    values = {str(value): int(count) for value, count in counts.items()}
    codes = {value: label_value(value) for value in values}
    wrong = column.notna() & ~column.map(codes).isin(allow)
    row = int(np.argmax(wrong.to_numpy())) if wrong.any() else None
    return ColumnKind(_kind(values, codes), values, row, int(wrong.sum()))


def label_value(text: str) -> float | None:
    """Return the 1, 0 or -1 that a text stands for, or None."""
    if text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    if _WITH_COMMA.fullmatch(text):
        return float(text.partition(",")[0])
    number = _number(text)
    return number if number in (0.0, 1.0, -1.0) else None


def _kind(values: dict[str, int], codes: dict[str, float | None]) -> str:
    known = set(codes.values()) - {None}
    if not values:
        return "empty"
    if None not in codes.values():
        return "uncertain" if -1.0 in known else "binary"
    stray = sum(count for value, count in values.items() if codes[value] is None)
    whole = sum(values.values())
    if known >= {0.0, 1.0} and whole - stray >= ENOUGH and stray <= max(1, STRAY * whole):
        return "almost"
    numbers = [_number(value) for value in values]
    finite = [number for number in numbers if number is not None]
    if len(finite) == len(numbers):
        return "soft" if min(finite) >= 0 and max(finite) <= 1 else "numbers"
    return "names" if 2 <= len(values) <= MOST_CLASSES else "text"


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
