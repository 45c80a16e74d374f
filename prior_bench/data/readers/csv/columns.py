"""Parse columns of users' CSV files: labels as numbers or names, and boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.csv.lines import line_number
from prior_bench.data.tables.annotation_tables import require_columns
from prior_bench.errors import BenchError, unknown_name

RESERVED = ("image", "id", "patient_id", "study_id", "view", "split", "report", "mask", "boxes")
DEFAULT_BOX_CLASS = "object"
MOST_CLASSES = 50
NO_BOX = "none"
BOX_FIX = "four numbers in pixels, width and height above 0; several boxes are separated by ';'"


def label_columns(
    raw: pd.DataFrame,
    place: Path,
    labels: str | Sequence[str] | None,
    label: str | None,
    positive: str | None,
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """Return the table with numeric label columns, their names, and whether they are exclusive.

    Raises:
        BenchError: a column is missing, or a value is not allowed.
    """
    if label is None and labels is None:
        return raw, tuple(str(c) for c in raw if c not in RESERVED and _is_binary(raw[c])), False
    given = label if label is not None else labels
    wanted = [given] if isinstance(given, str) else list(given or ())
    require_columns(raw, wanted, place)
    if len(wanted) == 1 and not _is_binary(raw[wanted[0]]):
        return _one_vs_rest(raw, wanted[0], place, positive)
    for name in wanted:
        if not _is_binary(raw[name]):
            row = int(np.argmax(~_allowed(raw[name])))
            raise BenchError(
                f"label '{name}' is '{raw[name].iloc[row]}'; allowed are 1, 0 and blank",
                where=f"{place}, line {line_number(place, row)}",
                fix=f"use a column of names alone: label='{name}'",
            )
    return raw, tuple(wanted), False


def _allowed(column: pd.Series) -> np.ndarray:
    return (pd.to_numeric(column, errors="coerce").isin([0, 1]) | column.isna()).to_numpy()


def _is_binary(column: pd.Series) -> bool:
    return bool(column.notna().any() and _allowed(column).all())


def _one_vs_rest(
    raw: pd.DataFrame, name: str, place: Path, positive: str | None
) -> tuple[pd.DataFrame, tuple[str, ...], bool]:
    """Convert a column of names to one binary label (two values) or to one label per value (more values)."""
    column = raw[name].astype(str).str.strip().where(raw[name].notna())
    values = sorted(column.dropna().unique())
    if not 2 <= len(values) <= MOST_CLASSES:
        raise BenchError(
            f"label '{name}' has {len(values)} different values; 2 to {MOST_CLASSES} are allowed",
            where=place,
            fix="choose a column of classes",
        )
    if positive is not None and positive not in values:
        raise unknown_name(f"value of '{name}'", positive, values, where=place)
    shown = values if len(values) > 2 else [positive or values[-1]]
    for value in shown:
        raw[f"{name}={value}"] = column.eq(value).astype(float).where(column.notna())
    return raw, tuple(f"{name}={value}" for value in shown), len(values) > 2


def box_texts(place: Path) -> pd.Series:
    """Read the column ``boxes`` as text. Pandas' default would not distinguish "None" from a blank field."""
    table = pd.read_csv(
        place, encoding="utf-8-sig", skipinitialspace=True, dtype=str, keep_default_na=False, na_values=[""]
    )
    return table.rename(columns=str.strip)["boxes"]


def box_column(column: pd.Series, place: Path) -> tuple[pd.Series, tuple[str, ...]]:
    """Convert ``"x y width height [class]; ..."`` to float32 [n, 5] (corners, class index).

    ``none`` means an image without an object, n = 0. A blank field means an image without annotation, None.

    Returns:
        The boxes of each row, and the names of the box classes.

    Raises:
        BenchError: a box is malformed; the message names the line.
    """
    parsed: list[list[tuple[float, float, float, float, str]] | None] = []
    for row, text in enumerate(column):
        if not isinstance(text, str) or not text.strip():
            parsed.append(None)
            continue
        pieces = [piece for piece in text.split(";") if piece.strip()]
        if text.strip().lower() == NO_BOX:
            pieces = []
        where = f"{place}, line {line_number(place, row)}" if pieces else ""
        parsed.append([_box(piece, where) for piece in pieces])
    classes = tuple(sorted({box[4] for boxes in parsed for box in boxes or ()}))
    cells: list[np.ndarray | None] = []
    for boxes in parsed:
        corners = [(*box[:4], classes.index(box[4])) for box in boxes or ()]
        cells.append(None if boxes is None else np.array(corners, np.float32).reshape(-1, 5))
    return pd.Series(cells, index=column.index, dtype=object), classes


def strata(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that a split is stratified by: all possible label columns as numbers, NaN for
    unknown.

    They do not depend on the evaluated label, so that two labels of one file are tested on the same patients.
    """
    found = {}
    for name in raw:
        if name in RESERVED:
            continue
        if _is_binary(raw[name]):
            found[f"stratum of {name}"] = pd.to_numeric(raw[name], errors="coerce").astype(float)
            continue
        values = raw[name].astype(str).str.strip().where(raw[name].notna())
        if 2 <= values.nunique() <= MOST_CLASSES:
            codes = values.astype("category").cat.codes.astype(float)
            found[f"stratum of {name}"] = codes.where(codes >= 0)
    return pd.DataFrame(found, index=raw.index)


def _box(text: str, where: str) -> tuple[float, float, float, float, str]:
    """Parse a box as (x1, y1, x2, y2, class)."""
    parts = text.split(maxsplit=4)
    try:
        x, y, width, height = map(float, parts[:4])
    except ValueError:
        raise BenchError(
            f"box '{text.strip()}' is not 'x y width height [class]'", where=where, fix=BOX_FIX
        ) from None
    if not (width > 0 and height > 0):
        raise BenchError(f"box '{text.strip()}' has no extent", where=where, fix=BOX_FIX)
    return x, y, x + width, y + height, parts[4].strip() if len(parts) > 4 else DEFAULT_BOX_CLASS
