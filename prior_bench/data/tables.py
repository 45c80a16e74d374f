"""Annotation tables as downloaded: plain or gzipped CSV, with every way of being wrong named."""

from __future__ import annotations

import difflib
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from prior_bench.errors import BenchError


def find_table(root: Path, *names: str) -> Path:
    """The first of ``names`` (glob patterns) under ``root``, as it stands, gzipped, or zipped.

    Raises:
        BenchError: none is there; lists what is.
    """
    for name in names:
        for pattern in (name, f"{name}.gz", f"{name}.zip"):
            found = sorted(root.glob(pattern))
            if found:
                return found[-1]  # the newest version, where several lie side by side
    present = sorted(p.name for p in root.iterdir())[:8] if root.is_dir() else []
    raise BenchError(
        f"{names[0]} is missing",
        where=root,
        fix=f"put it (or {names[0]}.gz) there; found: {', '.join(present) or 'nothing'}",
    )


def read_table(path: Path, columns: Iterable[str] = (), *, text: Iterable[str] = ()) -> pd.DataFrame:
    """A CSV with blanks around column names removed (SIIM's is ``" EncodedPixels"``).

    Args:
        path: the file; compression is told by its suffix.
        columns: names that must be there.
        text: columns to keep as text (identifiers with leading zeros); ``columns`` may repeat them.

    Raises:
        BenchError: missing, empty, truncated or no CSV; a column is missing.
    """
    if not path.is_file():
        raise BenchError("no such file", where=path)
    try:
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            skipinitialspace=True,
            low_memory=False,
            dtype=dict.fromkeys(text, str),
        )
    except pd.errors.EmptyDataError:
        raise BenchError("file is empty", where=path, fix="fetch it again") from None
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise BenchError(
            f"archive is truncated or damaged ({error})", where=path, fix="fetch it again"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        raise BenchError(f"not a CSV file as expected ({str(error).splitlines()[0]})", where=path) from error
    table.columns = table.columns.str.strip()
    require_columns(table, columns, path)
    return table


def require_columns(table: pd.DataFrame, columns: Iterable[str], where: object) -> None:
    """Raise BenchError where a column is missing, with the nearest names and all that are there."""
    missing = [c for c in columns if c not in table.columns]
    if not missing:
        return
    present = [str(c) for c in table.columns]
    hints = [(c, difflib.get_close_matches(c, present, n=1, cutoff=0.6)) for c in missing]
    renamed = "; ".join(f"is '{near[0]}' meant to be '{c}'?" for c, near in hints if near)
    raise BenchError(
        f"column{'s' * (len(missing) > 1)} {', '.join(repr(c) for c in missing)} missing",
        where=where,
        fix=f"{renamed} columns present: {', '.join(present)}".strip(),
    )
