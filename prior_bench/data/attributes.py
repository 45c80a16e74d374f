"""Attributes of images and their patients (sex, age, view, …), and the groups that they define.

Attributes are the columns ``about_*`` and ``view`` of a manifest, and the columns of a CSV file that names
images by ``id`` or patients by ``patient_id``. No evaluation reads them; they are joined with stored
predictions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.manifest import ABOUT, Manifest
from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.errors import BenchError, unknown_name

AGE_BANDS = (40.0, 60.0, 80.0)
"""Bounds of the bands of ``age``, in years, if no others are given."""

MOST_GROUPS = 12
"""Largest number of groups of an attribute; one with more values, such as a name, defines no groups."""

UNKNOWN = ("", "unknown", "nan", "none", "n/a")
"""Values, in lower case, of images that are in no group."""

KEYS = ("id", "patient_id")
"""Columns by which a CSV file can name rows of a manifest."""

USUAL = ("sex", "age", "view")
"""Attributes that are shown if none is named."""


@dataclass(frozen=True)
class Grouping:
    """An attribute that defines groups.

    Attributes:
        name: name of the attribute.
        bounds: increasing bounds of bands of numbers; empty for the attribute's own values (or, for ``age``,
            :data:`AGE_BANDS`).
    """

    name: str
    bounds: tuple[float, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Grouping:
        """Read ``NAME`` or ``NAME:BOUND,BOUND``.

        Raises:
            BenchError: the bounds are not increasing numbers.
        """
        name, colon, rest = text.partition(":")
        try:
            bounds = tuple(float(part) for part in rest.split(",")) if colon else ()
        except ValueError:
            bounds = (np.nan,)
        if not name or not all(np.diff((-np.inf, *bounds)) > 0):
            fix = "give NAME, or NAME and increasing bounds, e.g. age:40,60,80"
            raise BenchError(f"'{text}' does not name groups", where="--by", fix=fix)
        return cls(name, bounds)


def attributes(manifest: Manifest, file: Path | None = None) -> dict[str, pd.Series]:
    """Return the values of each attribute, one per row of the manifest, by its name.

    Args:
        manifest: the data set.
        file: CSV file with further attributes in its columns, and ``id`` or ``patient_id`` to name rows; it
            replaces attributes of the manifest.

    Raises:
        BenchError: the file names no row, or one twice with different values.
    """
    table = manifest.table
    found = {
        str(column).removeprefix(ABOUT): table[column]
        for column in table
        if str(column).startswith(ABOUT) or column == "view"
    }
    found |= _from_file(manifest, file) if file else {}
    return {name: values for name, values in found.items() if values.notna().any()}


def groups(values: pd.Series, grouping: Grouping) -> tuple[np.ndarray, list[str]]:
    """Return the group of each row, int [rows] (-1 for unknown), and the names of the groups, in their order.

    Raises:
        BenchError: bounds are given for values that are no numbers, or there are too many groups.
    """
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    bounds = grouping.bounds
    if not bounds and grouping.name.lower() == "age" and np.isfinite(numbers).any():
        bounds = AGE_BANDS
    if bounds:
        return _bands(numbers, bounds, grouping.name)
    texts = values.map(_text).to_numpy(dtype=object)
    names = sorted({text for text in texts if text.lower() not in UNKNOWN})
    if len(names) > MOST_GROUPS:
        fix = f"choose one with up to {MOST_GROUPS}, or give bounds: {grouping.name}:BOUND,BOUND"
        raise BenchError(f"has {len(names)} different values", where=f"attribute '{grouping.name}'", fix=fix)
    place = {name: number for number, name in enumerate(names)}
    return np.array([place.get(text, -1) for text in texts], dtype=int), names


def choose(found: dict[str, pd.Series], given: Sequence[Grouping], where: object) -> list[Grouping]:
    """Return the groupings to use: those that are given, or the usual ones that the data have.

    Args:
        found: from :func:`attributes`.
        given: groupings that were asked for.
        where: the data set, for messages.

    Raises:
        BenchError: an attribute is unknown, or there is none to use.
    """
    spelled = {name.lower(): name for name in found}
    for grouping in given:
        if grouping.name.lower() not in spelled:
            if found:
                raise unknown_name("attribute", grouping.name, list(found), where=where)
            raise BenchError(f"has no attribute, so not '{grouping.name}'", where=where, fix=FIX)
    usual = [Grouping(name) for name in USUAL if name in spelled]
    if not given and not usual:
        known = f"; it has {', '.join(found)}" if found else ""
        raise BenchError(f"has none of {', '.join(USUAL)}{known}", where=where, fix=FIX)
    return [replace(one, name=spelled[one.name.lower()]) for one in given or usual]


FIX = "give a CSV file with the columns 'id' or 'patient_id' and the attributes: --groups FILE.csv"


def _bands(numbers: np.ndarray, bounds: Sequence[float], name: str) -> tuple[np.ndarray, list[str]]:
    if not np.isfinite(numbers).any():
        raise BenchError("has no numbers", where=f"attribute '{name}'", fix="leave out the bounds")
    inner = [f"{low:g} to < {high:g}" for low, high in zip(bounds, bounds[1:], strict=False)]
    names = [f"< {bounds[0]:g}", *inner, f"≥ {bounds[-1]:g}"]
    band = np.searchsorted(np.asarray(bounds), numbers, side="right")
    return np.where(np.isfinite(numbers), band, -1), names


def _text(value: Any) -> str:
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:g}"
    return "" if value is None else str(value).strip()


def _from_file(manifest: Manifest, file: Path) -> dict[str, pd.Series]:
    try:
        raw = read_table(file, text=KEYS, strict=True)
    except BenchError as error:
        raise BenchError(error.what, where=file, fix=FIX) from error
    key = next((name for name in KEYS if name in raw), None)
    if key is None:
        present = ", ".join(map(str, raw.columns))
        raise BenchError("has neither 'id' nor 'patient_id'", where=file, fix=f"columns present: {present}")
    names = [name for name in raw if name not in KEYS]
    raw = raw[[key, *names]].drop_duplicates().set_index(key)
    if raw.index.duplicated().any():
        twice = raw.index[raw.index.duplicated()][0]
        what = f"{key} '{twice}' occurs with different values"
        raise BenchError(what, where=file, fix=f"keep one line for each {key}")
    of_rows = raw.reindex(manifest.table[key].astype(str))
    if not manifest.table[key].astype(str).isin(raw.index).any():
        example = manifest.table[key].iloc[0]
        fix = f"use the values of the data set, e.g. '{example}'"
        raise BenchError(f"no {key} of {manifest.name} is there", where=file, fix=fix)
    return {str(name): of_rows[name].reset_index(drop=True) for name in names}
