"""Check that the images named in a table exist, with one listing per folder instead of a call per file."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.tables.shared_images import with_shared_images
from prior_bench.errors import BenchError, unknown_name
from prior_bench.runtime import progress

MISSING = ("error", "skip")


def present(root: Path, names: Iterable[str]) -> np.ndarray:
    """Return bool [n]: whether each ``root / name`` is a file (a dead link is not)."""
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
    except PermissionError as error:
        raise BenchError(
            f"cannot be read ({error.strerror})", where=folder, fix="check its permissions"
        ) from error
    except OSError:  # absent, no folder, or a name that no folder can have
        return set()


def is_link(path: Path) -> bool:
    """Whether a path is a link; False for names that no file can have."""
    try:
        return path.is_symlink()
    except OSError:
        return False


def absent_note(exists: np.ndarray) -> tuple[str, ...]:
    """Return the note on images that ``missing=skip`` leaves out, if there are any."""
    absent = int((~exists).sum())
    return (f"{absent:,} of {len(exists):,} images are absent and left out (missing=skip)",) if absent else ()


def require_images(
    table: pd.DataFrame, root: Path, *, missing: str = "error", where: object = None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the table after checking that every ``image`` in it exists under ``root``, and notes.

    Args:
        table: table with the column ``image``.
        root: folder to which the names are relative.
        missing: ``"error"``, or ``"skip"`` to continue with the existing images (``split_summary`` then shows
            the difference, and the note says so).
        where: the label file, for the message.

    Raises:
        BenchError: images are missing (the message counts them and names the first), or none exists.
    """
    if missing not in MISSING:
        raise unknown_name("value of missing", missing, list(MISSING), where=where)
    if (shared := with_shared_images(table, root)) is not None:
        return shared, ()
    exists = present(root, table["image"])
    if exists.all():
        return table, ()
    first = root / table["image"].iloc[int(np.argmin(exists))]
    absent = int((~exists).sum())
    if missing == "skip" and exists.any():
        return table[exists].reset_index(drop=True), absent_note(exists)
    state = "a dead link" if is_link(first) else "absent"
    fix = "complete the download, or continue with the images that exist: --set missing=skip"
    if not exists.any():
        fix = "unpack the images so that this file is there; `prior-bench data describe NAME` shows the tree"
    raise BenchError(
        f"{absent} of {len(table)} images named there are missing; the first is {state}: {first}",
        where=where or root,
        fix=fix,
    )
