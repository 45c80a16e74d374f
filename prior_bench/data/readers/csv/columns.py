"""Parse columns of users' tables: boxes, and what a split is stratified by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prior_bench.data.readers.csv.column_kinds import MOST_CLASSES
from prior_bench.data.readers.csv.own_table import RESERVED, OwnTable
from prior_bench.errors import BenchError

DEFAULT_BOX_CLASS = "object"
NO_BOX = "none"
BOX_FIX = "four numbers in pixels, width and height above 0; several boxes are separated by ';'"


def box_column(table: OwnTable) -> tuple[pd.Series, tuple[str, ...]]:
    """Convert the column ``boxes``, ``"x y width height [class]; ..."``, to float32 [n, 5].

    The five are the corners and the index of the class.

    ``none`` means an image without an object, n = 0. A blank field means an image without annotation, None.

    Returns:
        The boxes of each row, and the names of the box classes.

    Raises:
        BenchError: a box is malformed; the message names the line.
    """
    column = table.fields["boxes"]
    parsed: list[list[tuple[float, float, float, float, str]] | None] = []
    for row, text in enumerate(column):
        if not isinstance(text, str) or not text.strip():
            parsed.append(None)
            continue
        pieces = [piece for piece in text.split(";") if piece.strip()]
        if text.strip().lower() == NO_BOX:
            pieces = []
        parsed.append([_box(piece, table.where(row)) for piece in pieces])
    classes = tuple(sorted({box[4] for boxes in parsed for box in boxes or ()}))
    cells: list[np.ndarray | None] = []
    for boxes in parsed:
        corners = [(*box[:4], classes.index(box[4])) for box in boxes or ()]
        cells.append(None if boxes is None else np.array(corners, np.float32).reshape(-1, 5))
    return pd.Series(cells, index=column.index, dtype=object), classes


def strata(table: OwnTable) -> pd.DataFrame:
    """Return the columns that a split is stratified by: all possible label columns as numbers, NaN for
    unknown.

    They do not depend on the evaluated label, so that two labels of one file are tested on the same patients.
    """
    found = {}
    for name in map(str, table.fields):
        if name in RESERVED:
            continue
        column = table.typed(name)
        numbers = pd.to_numeric(column, errors="coerce").astype(float)
        if column.notna().any() and (numbers.isin([0, 1]) | column.isna()).all():
            found[f"stratum of {name}"] = numbers
            continue
        values = column.astype(str).str.strip().where(column.notna())
        if 2 <= values.nunique() <= MOST_CLASSES:
            codes = values.astype("category").cat.codes.astype(float)
            found[f"stratum of {name}"] = codes.where(codes >= 0)
    return pd.DataFrame(found, index=table.fields.index)


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
