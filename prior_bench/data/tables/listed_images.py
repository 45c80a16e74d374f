"""Are the images that a table names really there? One listing per folder, not one call per file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.errors import BenchError, unknown_name
from prior_bench.runtime import progress

MISSING = ("error", "skip")


def present(root: Path, names: Iterable[str]) -> np.ndarray:
    """Bool [n]: whether ``root / name`` is a file (a dead link is none)."""
    wanted = pd.Series(list(names), dtype=object).astype(str)
    folders = wanted.map(os.path.dirname)
    exists = np.zeros(len(wanted), bool)
    for folder, rows in progress(wanted.groupby(folders), "looking for images", total=folders.nunique()):
        there = _files(root / folder)
        exists[rows.index] = [os.path.basename(name) in there for name in rows]
    return exists


def _files(folder: Path) -> set[str]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if entry.is_file()}
    except (FileNotFoundError, NotADirectoryError):
        return set()


def require_images(
    table: pd.DataFrame, root: Path, *, missing: str = "error", where: object = None
) -> pd.DataFrame:
    """The table, once every ``image`` in it is known to exist under ``root``.

    Args:
        table: with the column ``image``.
        root: folder that the names are relative to.
        missing: ``"error"``, or ``"skip"`` to continue with the images that are there (``split_summary``
            then tells the difference).
        where: the label file, for the message.

    Raises:
        BenchError: images are missing (how many, and the first), or none is there at all.
    """
    if missing not in MISSING:
        raise unknown_name("value of missing", missing, list(MISSING), where=where)
    exists = present(root, table["image"])
    if exists.all():
        return table
    first = root / table["image"].iloc[int(np.argmin(exists))]
    absent = int((~exists).sum())
    if missing == "skip" and exists.any():
        return table[exists].reset_index(drop=True)
    state = "a dead link" if first.is_symlink() else "absent"
    fix = "complete the download, or pass missing='skip' to continue with the images that exist"
    if not exists.any():
        fix = "unpack the images so that this file is there; `prior-bench data describe NAME` shows the tree"
    raise BenchError(
        f"{absent} of {len(table)} images named there are missing; the first is {state}: {first}",
        where=where or root,
        fix=fix,
    )
