"""Read downloaded annotation tables (plain, gzipped or zipped CSV) and report every kind of damage."""

from __future__ import annotations

import csv
import difflib
import os
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from prior_bench.errors import BenchError


def find_table(root: Path, *names: str) -> Path:
    """Find the first of ``names`` (glob patterns) in ``root``, plain, gzipped or zipped.

    Raises:
        BenchError: there is none; the message lists the existing files.
    """
    there = sorted(root.iterdir()) if root.is_dir() else []
    for name in names:
        for pattern in (name, f"{name}.gz", f"{name}.zip"):
            found = [path for path in there if path.match(pattern)]
            if found:
                return found[-1]  # the newest of several versions
    present = [path.name for path in there][:8]
    raise BenchError(
        f"{names[0]} is missing",
        where=root,
        fix=f"put it (or {names[0]}.gz) there; found: {', '.join(present) or 'nothing'}",
    )


def read_table(
    path: Path, columns: Iterable[str] = (), *, text: Iterable[str] = (), ragged: bool = False
) -> pd.DataFrame:
    """Read a CSV file and strip blanks around column names (SIIM has ``" EncodedPixels"``).

    Args:
        path: CSV file; its suffix determines the compression.
        columns: names of required columns.
        text: columns to keep as text (identifiers with leading zeros); ``columns`` may repeat them.
        ragged: whether the last line may lack fields, as in handwritten files. In a downloaded file, missing
            fields show that it is truncated.

    Raises:
        BenchError: the file is missing, empty, truncated or not a CSV file, or a column is missing.
    """
    require_file(path)
    try:
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            skipinitialspace=True,
            low_memory=False,
            dtype=dict.fromkeys(text, str),
        )
    except pd.errors.EmptyDataError:
        raise BenchError("file is empty", where=path, fix="download it again") from None
    except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
        raise BenchError(
            f"archive is truncated or damaged ({error})", where=path, fix="download it again"
        ) from error
    except (pd.errors.ParserError, UnicodeDecodeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BenchError(
            f"not a CSV file as expected ({reason})", where=path, fix="download it again"
        ) from error
    if not ragged:
        _require_last_line(path)
    table.columns = table.columns.str.strip()
    require_columns(table, columns, path)
    return table


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file. Bytes that are not UTF-8 are replaced; the caller rejects such lines.

    Raises:
        BenchError: the file is missing, empty, or a web page (see :func:`require_file`).
    """
    require_file(path)
    lines = path.read_text("utf-8", "replace").splitlines()
    if not any(line.strip() for line in lines):
        raise BenchError("file is empty", where=path, fix="download it again")
    return lines


def require_file(path: Path) -> None:
    """Raise BenchError if the file is missing, a dead link, or a web page saved under its name."""
    if path.is_symlink() and not path.exists():
        raise BenchError(
            f"is a dead link: it points to {os.readlink(path)}, which does not exist",
            where=path,
            fix="put the file there, or fix the link",
        )
    if not path.is_file():
        raise BenchError("no such file", where=path, fix="put it there")
    with path.open("rb") as stream:
        if stream.read(512).lstrip().lower().startswith((b"<!doctype html", b"<html")):
            raise BenchError(
                "is a web page instead of the expected file",
                where=path,
                fix="log in at the source, then download it again",
            )


def _require_last_line(path: Path) -> None:
    """Raise BenchError if the last line has fewer fields than the first line below the header.

    The header is no reference, because ChestX-ray14's boxes have fewer fields than it. Truncated archives are
    found when they are read.
    """
    if path.suffix in (".gz", ".zip"):
        return
    with path.open(newline="", encoding="utf-8-sig") as stream:
        lines = filter(None, csv.reader(stream))
        next(lines, None)
        first = last = next(lines, [])
        for last in lines:  # noqa: B007
            pass
    if len(last) < len(first):
        raise BenchError(
            f"is truncated: its last line has {len(last)} of {len(first)} fields",
            where=path,
            fix="download it again",
        )


def require_columns(table: pd.DataFrame, columns: Iterable[str], where: object) -> None:
    """Raise BenchError if a column is missing; the message has similar names and all that exist."""
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
