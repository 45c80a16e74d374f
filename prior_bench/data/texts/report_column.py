"""A column of reports in which each report is stored once, outside Python's objects.

A million rows of tuples of sentences take gigabytes as objects, and some 300 MB here. Pandas knows the column
as any other: a cell is a tuple of sentences, or None.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pandas.api.extensions import ExtensionArray, ExtensionDtype, take

ROWS = 1 << 14
"""Rows that become objects at once."""
REPORT = pa.large_list(pa.large_string())
"""Type of stored reports."""


class ReportType(ExtensionDtype):
    """The type of a column of reports."""

    name = "reports"
    type = tuple
    kind = "O"
    na_value = None

    @classmethod
    def construct_array_type(cls) -> builtins.type[ReportColumn]:
        """Return the class of its columns."""
        return ReportColumn


class ReportColumn(ExtensionArray):
    """Reports by row; rows may share one.

    Args:
        parts: stored reports, arrays of type :data:`REPORT`, numbered through all of them.
        number: int [rows], the number of each row's report; -1 for a row without one.
    """

    def __init__(self, parts: Sequence[pa.Array], number: np.ndarray):
        self.parts, self.number = tuple(parts), np.asarray(number, dtype=np.int64)
        self._starts = np.cumsum([0, *map(len, self.parts)])

    @classmethod
    def of(cls, reports: Iterable[tuple[str, ...] | None]) -> ReportColumn:
        """Store reports, equal ones once."""
        seen: dict[tuple[str, ...], int] = {}
        number = [-1 if one is None else seen.setdefault(one, len(seen)) for one in reports]
        return cls([pa.array(list(seen), REPORT)], np.array(number, dtype=np.int64))

    def arrow(self, rows: slice | np.ndarray) -> pa.Array:
        """Return the reports of some rows as an array of type :data:`REPORT`, null for rows without one."""
        number = self.number[rows]
        of_part = np.searchsorted(self._starts, number, side="right") - 1  # -1 for a row without a report
        used = np.unique(of_part[number >= 0])
        if not len(used):
            return pa.nulls(len(number), REPORT)
        where = [of_part == part for part in used]
        found = [
            self.parts[p].take(pa.array(number[w] - self._starts[p]))
            for p, w in zip(used, where, strict=True)
        ]
        if len(used) == 1 and where[0].all():
            return found[0]
        place = np.full(len(number), -1, dtype=np.int64)
        place[np.concatenate([np.flatnonzero(w) for w in where])] = np.arange(sum(map(len, found)))
        return pa.concat_arrays(found).take(pa.array(place, mask=place < 0))

    # --- what pandas asks for -------------------------------------------------------------------------

    @classmethod
    def _from_sequence(cls, scalars: Any, *, dtype: Any = None, copy: bool = False) -> ReportColumn:
        reports = [None if isinstance(one, float) else one for one in scalars]  # NaN, which pandas fills in
        if not all(one is None or isinstance(one, tuple) for one in reports):
            raise TypeError("a report is a tuple of sentences")
        return cls.of(reports)

    @classmethod
    def _from_factorized(cls, values: Any, original: ReportColumn) -> ReportColumn:
        return cls._from_sequence(values)

    @classmethod
    def _concat_same_type(cls, to_concat: Sequence[ReportColumn]) -> ReportColumn:
        starts = np.cumsum([0, *(one._starts[-1] for one in to_concat)])
        number = [
            np.where(one.number < 0, -1, one.number + start)
            for one, start in zip(to_concat, starts, strict=False)
        ]
        return cls([part for one in to_concat for part in one.parts], np.concatenate(number))

    def _cast_pointwise_result(self, values: Any) -> Any:
        return pd.Series(values).infer_objects().array  # what a function of reports gives is no report

    @property
    def dtype(self) -> ReportType:
        """The type of the column."""
        return ReportType()

    @property
    def nbytes(self) -> int:
        """Bytes of the stored reports and of their numbers."""
        return int(self.number.nbytes) + sum(part.nbytes for part in self.parts)

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, item: Any) -> Any:
        if isinstance(item, int | np.integer):
            found = int(self.number[item])
            if found < 0:
                return None
            part = int(np.searchsorted(self._starts, found, side="right")) - 1
            return tuple(self.parts[part][found - int(self._starts[part])].as_py())
        return type(self)(self.parts, self.number[pd.api.indexers.check_array_indexer(self, item)])

    def __iter__(self) -> Iterator[tuple[str, ...] | None]:
        for start in range(0, len(self), ROWS):
            for one in self.arrow(slice(start, start + ROWS)).to_pylist():
                yield None if one is None else tuple(one)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        made = np.empty(len(self), dtype=object)
        for row, one in enumerate(self):  # at once, NumPy would make a matrix of tuples of one length
            made[row] = one
        return made

    def __eq__(self, other: object) -> Any:
        if isinstance(other, pd.Series | pd.Index | pd.DataFrame):
            return NotImplemented
        others = [other] * len(self) if isinstance(other, tuple) or other is None else list(other)  # type: ignore[call-overload]
        return np.array([a is not None and a == b for a, b in zip(self, others, strict=True)], dtype=bool)

    def isna(self) -> np.ndarray:
        """Which rows have no report, bool [rows]."""
        return np.asarray(self.number < 0)

    def take(self, indices: Any, *, allow_fill: bool = False, fill_value: Any = None) -> ReportColumn:
        """Return some rows; those that are filled have no report."""
        fill = -1 if allow_fill else None
        number = np.asarray(take(self.number, indices, allow_fill=allow_fill, fill_value=fill))
        return type(self)(self.parts, number)

    def copy(self) -> ReportColumn:
        """Return a column that shares the reports, which never change."""
        return type(self)(self.parts, self.number.copy())


def report_column(column: pd.Series) -> ReportColumn:
    """Return a table's column of reports as a ReportColumn."""
    values = column.array
    return values if isinstance(values, ReportColumn) else ReportColumn._from_sequence(column)
