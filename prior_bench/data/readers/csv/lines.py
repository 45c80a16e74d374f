"""Report the problems in users' tables with their line numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.csv.own_table import OwnTable
from prior_bench.data.tables.listed_images import MISSING, is_link, present
from prior_bench.errors import BenchError, ErrorList, unknown_name

LONGEST = 300
"""Largest number of characters of a path in a message."""
PATH_FIX = "paths are relative to the CSV file's folder; missing=skip continues without missing images"


def require_values(own: OwnTable, table: pd.DataFrame, missing: str) -> None:
    """Check that image, id and patient_id are filled in, ids are unique, and images and masks exist.

    Args:
        own: the user's table.
        table: the manifest's table made of it, row by row.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: some are not; all problems are reported together.
    """
    place = own.source.place
    if missing not in MISSING:
        raise unknown_name("value of missing", missing, list(MISSING), where=place)
    problems = []
    for name in ("image", "id", "patient_id"):
        blank = table[name].isna().to_numpy()
        if blank.any():
            problems.append(_problem(own, blank, f"'{name}' is blank", "fill it in, or remove the line"))
    if not problems:
        twice = table["id"].duplicated().to_numpy()
        if twice.any():
            value = table["id"].iloc[int(np.argmax(twice))]
            fix = "remove one of the lines, or give each image its own id"
            problems.append(_problem(own, twice, f"id '{value}' occurs a second time", fix))
        exists = present(place.parent, table["image"])
        if not exists.all() and (missing == "error" or not exists.any()):
            file = place.parent / table["image"].iloc[int(np.argmin(exists))]
            state = "is a dead link" if is_link(file) else "does not exist"
            problems.append(_problem(own, ~exists, f"image {_short(file)} {state}", PATH_FIX))
        if "mask" in table:
            named = [m.path if m else table["image"].iloc[i] for i, m in enumerate(table["mask"])]
            lost = ~present(place.parent, named) & table["mask"].notna().to_numpy()
            if lost.any():
                what = f"mask {_short(place.parent / named[int(np.argmax(lost))])} does not exist"
                problems.append(_problem(own, lost, what, "put it there; blank means not annotated"))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ErrorList("has several problems", problems, where=place)


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _problem(own: OwnTable, wrong: np.ndarray, what: str, fix: str) -> BenchError:
    more = f" ({int(wrong.sum())} lines in all)" if wrong.sum() > 1 else ""
    return BenchError(f"{what}{more}", where=own.where(int(np.argmax(wrong))), fix=fix)
