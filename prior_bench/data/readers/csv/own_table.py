"""A user's own table: its fields as texts, in which only an empty field is blank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.tables.annotation_tables import require_columns
from prior_bench.data.tables.listed_images import present
from prior_bench.data.tables.text_table import TextTable, read_text_table
from prior_bench.errors import BenchError

RESERVED = ("image", "id", "patient_id", "study_id", "view", "split", "report", "mask", "boxes")
"""Columns with a meaning of their own; every other column can be a label or name subgroups."""
PATHS = ("image", "mask")
TRUTHS = ("True", "TRUE", "true", "False", "FALSE", "false")
BLANK_WORDS = ("na", "n/a", "nan", "none", "null", "unknown", "-", "?")
"""Texts, in lower case, that many programs write for a blank field; here they are ordinary values."""


@dataclass(frozen=True)
class OwnTable:
    """The fields of a user's table.

    Attributes:
        source: its rows as read, with their lines.
        fields: one text per row and column, without blanks around it (reports as they are); NaN if blank.
    """

    source: TextTable
    fields: pd.DataFrame

    def where(self, row: int) -> str:
        """Return file and line of a row (from 0), for messages."""
        return self.source.where(row)

    def typed(self, name: str) -> pd.Series:
        """Return a column as bool, integers or floats if all its values are; otherwise as texts."""
        column = self.fields[name]
        known = column.dropna()
        if known.isin(TRUTHS).all() and len(known):
            return column.map(lambda text: text if isinstance(text, float) else text.lower() == "true")
        numbers = pd.to_numeric(known, errors="coerce")
        return pd.to_numeric(column) if numbers.notna().all() else column


def read_own_table(
    place: Path, *, encoding: str | None = None, blank: str | Sequence[str] = ()
) -> tuple[OwnTable, list[str]]:
    """Read a user's table.

    Args:
        place: text table with the column ``image``.
        encoding: its encoding, if it is neither UTF-8 nor stated by a byte order mark.
        blank: texts that count as blank besides an empty field ("NA").

    Returns:
        The table, and remarks on fields that were changed or look wrong.

    Raises:
        BenchError: the file cannot be read, or has no column ``image`` or no row.
    """
    source = read_text_table(place, RESERVED, encoding=encoding)
    names = [name or f"Unnamed: {number}" for number, name in enumerate(source.header)]
    if not source.rows:
        require_columns(pd.DataFrame(columns=names), ("image",), place)
        raise BenchError("contains no rows", where=place, fix="add one line per image below the header")
    blanks = {"", *([blank] if isinstance(blank, str) else map(str, blank))}
    fields, notes = {}, []
    for number, name in enumerate(names):
        given = [row[number] for row in source.rows]
        bare = [text.strip() for text in given]
        if name == "patient_id":
            notes += _patients_with_blanks(given, bare)
        kept = given if name == "report" else bare
        values = [np.nan if b in blanks else text for text, b in zip(kept, bare, strict=True)]
        fields[name] = pd.Series(values, dtype=str)
    table = OwnTable(source, pd.DataFrame(fields))
    require_columns(table.fields, ("image",), place)
    notes += _forward_slashes(table)
    notes += _nearly_reserved(names)
    notes += _words_for_blank(table)
    return table, notes


def _patients_with_blanks(given: list[str], bare: list[str]) -> list[str]:
    # skipinitialspace has already removed blanks in front
    odd = sum(one != other for one, other in zip(given, bare, strict=True))
    return [f"patient_id: blanks around {odd} values were removed"] if odd else []


def _forward_slashes(table: OwnTable) -> list[str]:
    r"""Write paths like ``img\000.png`` with slashes, unless a file has that very name."""
    folder, notes = table.source.place.parent, []
    for name in (name for name in PATHS if name in table.fields):
        column = table.fields[name]
        with_backslash = column.str.contains("\\", regex=False, na=False)
        if not with_backslash.any():
            continue
        change = with_backslash.to_numpy(copy=True)
        change[change] = ~present(folder, column[with_backslash])
        table.fields[name] = column.where(~change, column.str.replace("\\", "/", regex=False))
        if change.any():
            notes.append(f"{name}: the backslashes of {int(change.sum())} paths were read as slashes")
    return notes


def _nearly_reserved(names: Sequence[str]) -> list[str]:
    """Name columns that are spelled nearly as a reserved one, which is absent."""
    plain = {name.replace("_", ""): name for name in RESERVED if name not in names}
    notes = []
    for name in names:
        meant = plain.get("".join(c for c in name.lower() if c.isalnum()))
        if meant:
            notes.append(f"column '{name}' is not read as '{meant}'; if it is meant so, rename it")
    return notes


def _words_for_blank(table: OwnTable) -> list[str]:
    if "patient_id" not in table.fields:
        return []
    patients = table.fields["patient_id"]
    words = patients[patients.str.lower().isin(BLANK_WORDS)]
    return [
        f"patient_id: {count} rows have the value '{word}' and count as one patient; if it means unknown, "
        f"blank={word} says so"
        for word, count in words.value_counts().items()
    ]
