"""Read downloaded annotation tables (plain, gzipped or zipped) and report every kind of damage."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from prior_bench.data.tables.text_file import AGAIN
from prior_bench.data.tables.text_table import TextTable, read_text_table
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
    path: Path, columns: Iterable[str] = (), *, text: Iterable[str] = (), strict: bool = False
) -> pd.DataFrame:
    """Read a table as downloaded and strip blanks around column names (SIIM has ``" EncodedPixels"``).

    Args:
        path: text table; its suffix determines the compression.
        columns: names of required columns.
        text: columns to keep as text (identifiers with leading zeros); ``columns`` may repeat them.
        strict: whether each row must be as wide as the header, as in files that users write.

    Raises:
        BenchError: the file is missing, empty, truncated or not a text table, or a column is missing.
    """
    columns = list(columns)
    found = read_text_table(path, columns, strict=strict)
    try:
        table = pd.read_csv(
            io.StringIO(_with_plain_line_ends(found)),
            sep=found.separator,
            skipinitialspace=True,
            low_memory=False,
            dtype=dict.fromkeys(text, str),
        )
    except (pd.errors.ParserError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise BenchError(f"not a CSV file as expected ({reason})", where=path, fix=AGAIN) from error
    table.columns = table.columns.str.strip()
    require_columns(table, columns, path)
    return table


def _with_plain_line_ends(table: TextTable) -> str:
    """Return the text for pandas, which loses an empty first field after a lone carriage return."""
    if "\r" not in table.text.replace("\r\n", ""):
        return table.text
    plain = io.StringIO()
    writer = csv.writer(plain, delimiter=table.separator, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([table.header, *table.rows])
    return plain.getvalue()


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
