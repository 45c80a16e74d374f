"""Report the problems in users' CSV files with their line numbers."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.tables.listed_images import MISSING, present
from prior_bench.errors import BenchError, ErrorList, unknown_name


def require_values(table: pd.DataFrame, place: Path, missing: str) -> None:
    """Check that image, id and patient_id are filled in, ids are unique, and images and masks exist.

    Raises:
        BenchError: some are not; all problems are reported together.
    """
    if missing not in MISSING:
        raise unknown_name("value of missing", missing, list(MISSING), where=place)
    problems = []
    for name in ("image", "id", "patient_id"):
        blank = table[name].isna().to_numpy()
        if blank.any():
            problems.append(_problem(place, blank, f"'{name}' is blank", "fill it in, or remove the line"))
    if not problems:
        twice = table["id"].duplicated().to_numpy()
        if twice.any():
            value = table["id"].iloc[int(np.argmax(twice))]
            fix = "remove one of the lines, or give each image its own id"
            problems.append(_problem(place, twice, f"id '{value}' occurs a second time", fix))
        exists = present(place.parent, table["image"])
        if not exists.all() and (missing == "error" or not exists.any()):
            file = place.parent / table["image"].iloc[int(np.argmin(exists))]
            state = "is a dead link" if file.is_symlink() else "does not exist"
            fix = "paths are relative to the CSV file's folder; missing=skip continues without missing images"
            problems.append(_problem(place, ~exists, f"image {file} {state}", fix))
        if "mask" in table:
            named = [m.path if m else table["image"].iloc[i] for i, m in enumerate(table["mask"])]
            lost = ~present(place.parent, named) & table["mask"].notna().to_numpy()
            if lost.any():
                what = f"mask {place.parent / named[int(np.argmax(lost))]} does not exist"
                problems.append(_problem(place, lost, what, "put it there; blank means not annotated"))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ErrorList("has several problems", problems, where=place)


def _problem(place: Path, wrong: np.ndarray, what: str, fix: str) -> BenchError:
    more = f" ({int(wrong.sum())} lines in all)" if wrong.sum() > 1 else ""
    where = f"{place}, line {line_number(place, int(np.argmax(wrong)))}"
    return BenchError(f"{what}{more}", where=where, fix=fix)


def line_number(place: Path, row: int) -> int:
    """Return the line of the file on which data row ``row`` (from 0) ends; quoted texts may span lines."""
    with place.open(newline="", encoding="utf-8-sig") as stream:
        lines = csv.reader(stream)
        seen = -1
        for fields in lines:
            seen += bool(fields)  # blank lines do not count
            if seen == row + 1:
                break
        return lines.line_num
