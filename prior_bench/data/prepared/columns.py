"""Turn a manifest's table into Arrow columns and back, without loss of types, missing values or annotations.

Texts and numbers are columns of their own types. Reports are stored once each, however many images share one.
All other cells are JSON (:mod:`prior_bench.data.prepared.cells`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_object_dtype, pandas_dtype

from prior_bench.data.prepared.cells import decode_cell, encode_cell
from prior_bench.data.texts.report_column import REPORT, ReportColumn, report_column

REPORTS = "report"
"""Column of a table that holds reports."""
NUMBER = "report number"
"""Arrow column with the row that stores the report of each row; -1 for rows without one."""


def encode_table(table: pd.DataFrame) -> tuple[pa.Table, dict[str, list[str]]]:
    """Return the Arrow columns of a table, and the kind and dtype of each column by its name.

    Kinds are ``text``, ``number``, ``reports`` and ``cells``.
    """
    columns: dict[str, pa.Array] = {}
    kinds: dict[str, list[str]] = {}
    for name in table:
        kind, values = _kind(str(name), table[name])
        kinds[str(name)] = [kind, str(table[name].dtype)]
        columns |= values
    return pa.table(columns), kinds


def decode_table(columns: pa.Table, kinds: dict[str, list[str]], root: Path) -> pd.DataFrame:
    """Return the table of Arrow columns; mask files are relative to ``root``.

    Raises:
        ValueError, KeyError: the columns are not what the kinds say.
    """
    made = {name: _DECODERS[kind](columns, name, dtype, root) for name, (kind, dtype) in kinds.items()}
    return pd.DataFrame(made, copy=False)


def _kind(name: str, column: pd.Series) -> tuple[str, dict[str, pa.Array]]:
    if column.dtype.kind in "biuf" and isinstance(column.dtype, np.dtype):
        return "number", {name: pa.array(column.to_numpy())}
    values = column.tolist()
    if column.dtype != object and str(column.dtype) == "str":  # NaN stands for what is missing
        values = [v if isinstance(v, str) else None for v in values]
        return "text", {name: pa.array(values, pa.large_string())}
    if column.dtype == object and all(v is None or isinstance(v, str) for v in values) and _encodable(values):
        return "text", {name: pa.array(values, pa.large_string())}
    if name == REPORTS and _are_reports(values):
        return "reports", _stored_once(report_column(column))
    return "cells", {name: pa.array([json.dumps(encode_cell(v)) for v in values], pa.large_string())}


def _are_reports(values: list[Any]) -> bool:
    """Whether all values are tuples of sentences or None; rows that share a report are looked at once."""
    distinct = {id(value): value for value in values if value is not None}.values()
    tuples = all(isinstance(v, tuple) and all(isinstance(s, str) for s in v) for v in distinct)
    return tuples and _encodable(s for v in distinct for s in v)


def _encodable(texts: Iterable[str | None]) -> bool:
    """Whether Arrow can hold texts; JSON also holds half a pair of surrogates, which some reports have."""
    try:
        for text in texts:
            (text or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _stored_once(reports: ReportColumn) -> dict[str, pa.Array]:
    """Return a column with each report in the first row that has it, and the number of that row for all."""
    rows = np.arange(len(reports))
    has = reports.number >= 0
    _, first, place = np.unique(reports.number[has], return_index=True, return_inverse=True)
    number = np.full(len(reports), -1, dtype=np.int64)
    number[has] = rows[has][first][place]
    stored = reports.arrow(rows)
    keeps = pa.array(number == rows)
    return {REPORTS: pc.if_else(keeps, stored, pa.scalar(None, REPORT)), NUMBER: pa.array(number)}


def _text(columns: pa.Table, name: str, dtype: str, root: Path) -> Any:
    values = _texts_of(columns, name)
    from_arrow = getattr(pandas_dtype(dtype), "__from_arrow__", None)
    if from_arrow is not None:
        return pd.Series(from_arrow(values), copy=False)
    if not is_object_dtype(dtype):  # a text of a stated width takes it in each row
        raise ValueError(f"{name} is of type {dtype}")
    return pd.Series(values.to_pylist(), dtype=dtype)


def _texts_of(columns: pa.Table, name: str) -> pa.ChunkedArray:
    if columns[name].type != pa.large_string():  # others might unpack to far more than was counted
        raise ValueError(f"{name} has no text")
    return columns[name]


def _number(columns: pa.Table, name: str, dtype: str, root: Path) -> Any:
    values = columns[name]
    if values.null_count or not pa.types.is_primitive(values.type) or np.dtype(dtype).kind not in "biuf":
        raise ValueError(f"{name} has no numbers")
    return pd.Series(values.to_numpy().astype(dtype, copy=False), copy=False)


def _reports(columns: pa.Table, name: str, dtype: str, root: Path) -> Any:
    number, stored = columns[NUMBER].to_numpy(), columns[name]
    if stored.type != REPORT or number.dtype != np.int64:
        raise ValueError("reports are of another type")
    if not ((number >= -1) & (number < len(number))).all():
        raise ValueError("a row has a report that is not there")
    return pd.Series(ReportColumn(stored.chunks, number), copy=False)


def _cells(columns: pa.Table, name: str, dtype: str, root: Path) -> Any:
    if not is_object_dtype(dtype):
        raise ValueError(f"{name} is of type {dtype}")
    return pd.Series(
        [decode_cell(json.loads(v), root) for v in _texts_of(columns, name).to_pylist()], dtype=dtype
    )


_DECODERS: dict[str, Callable[[pa.Table, str, str, Path], Any]] = {
    "text": _text,
    "number": _number,
    "reports": _reports,
    "cells": _cells,
}
