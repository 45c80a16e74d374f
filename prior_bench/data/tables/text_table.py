"""Split a text table into its rows: find the separator, and refuse rows that do not fit the header."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from prior_bench.data.tables.text_file import read_text
from prior_bench.errors import BenchError

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
"""Separators of fields, and how messages call them."""
LONGEST_FIELD = 2**24
"""Largest number of characters of a field; the default of Python's csv is too small for long reports."""


@dataclass(frozen=True)
class TextTable:
    """The rows of a text table, all of the width of its header.

    Attributes:
        place: the file.
        text: its content.
        separator: what separates its fields.
        header: names of the columns, without blanks around them.
        rows: fields of each row; lines that are blank are no rows.
        lines: line of the file on which each row ends; quoted texts may span lines.
    """

    place: Path
    text: str
    separator: str
    header: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def where(self, row: int) -> str:
        """Return file and line of a row (from 0), for messages."""
        return f"{self.place}, line {self.lines[row]}"


def read_text_table(
    path: Path, columns: Iterable[str] = (), *, encoding: str | None = None, strict: bool = True
) -> TextTable:
    """Read the rows of a text table.

    Args:
        path: the file, plain, ``.gz`` or ``.zip``.
        columns: names of columns that it should have; they help to find the separator.
        encoding: see :func:`prior_bench.data.tables.text_file.read_text`.
        strict: whether each row must have as many fields as the header, and quotes must be balanced, as in
            files that users write. In a downloaded table, all rows must have as many fields as the first
            one, which may lack columns without a name: the header of ChestX-ray14's boxes ends with some.

    Raises:
        BenchError: the file is not a text table, two columns have one name, or rows do not fit.
    """
    text = read_text(path, encoding)
    separator = separator_of(text, columns)
    found: list[list[str]] = []
    lines: list[int] = []
    for fields, line in _parsed(text, separator, path, strict):
        found.append(fields)
        lines.append(line)
    header = tuple(name.strip() for name in found[0])
    _require_distinct(header, path)
    table = TextTable(path, text, separator, header, found[1:], lines[1:])
    _require_width(table, strict)
    return table


def separator_of(text: str, columns: Iterable[str] = ()) -> str:
    """Return the separator that finds most of ``columns`` in the first line, then most names."""
    wanted = set(columns)
    first = next((line for line in io.StringIO(text, newline="") if line.strip()), "")
    names = {mark: [name.strip() for name in _fields(first, mark)] for mark in SEPARATORS}
    return max(SEPARATORS, key=lambda mark: (len(wanted & set(names[mark])), len(names[mark])))


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:
        return []


def _parsed(text: str, separator: str, path: Path, strict: bool) -> Iterable[tuple[list[str], int]]:
    """Yield the fields of each line that is not blank, and the line on which they end."""
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        lines = csv.reader(
            io.StringIO(text, newline=""),
            delimiter=separator,
            skipinitialspace=separator != "\t",
            strict=strict,
        )
        start = 1
        try:
            for fields in lines:
                if len(fields) > 1 or any(field.strip() for field in fields):
                    yield fields, lines.line_num
                start = lines.line_num + 1
        except csv.Error as error:
            raise _unparsable(str(error), path, start) from error
    finally:
        csv.field_size_limit(before)


def _unparsable(reason: str, path: Path, line: int) -> BenchError:
    if "field larger" in reason:
        what, fix = f"a field is longer than {LONGEST_FIELD:,} characters", "a quote is not closed, perhaps"
    elif "unexpected end" in reason:
        what, fix = "a quote that opens there is never closed", 'close it; a quote in a text is written ""'
    else:
        what, fix = f"quotes are not balanced ({reason})", 'a quote in a quoted text is written ""'
    return BenchError(f"not a CSV file as expected: {what}", where=f"{path}, line {line}", fix=fix)


def _require_distinct(header: tuple[str, ...], path: Path) -> None:
    named = [name for name in header if name]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        numbers = " and ".join(str(n) for n, name in enumerate(header, 1) if name == twice)
        what = f"columns {numbers} have the same name, '{twice}'"
        raise BenchError(what, where=path, fix="rename or remove one of them")


def _require_width(table: TextTable, strict: bool) -> None:
    if not table.rows:
        return
    whole = len(table.header)
    named = max((n for n, name in enumerate(table.header, 1) if name), default=0)
    width = whole if strict else min(whole, max(named, len(table.rows[0])))
    wrong = [row for row, fields in enumerate(table.rows) if len(fields) != width]
    if not wrong:
        return
    first = table.rows[wrong[0]]
    if wrong == [len(table.rows) - 1] and len(first) < width:
        what = f"is truncated: its last line has {len(first)} of {width} fields"
        fix = "complete the line" if strict else "download it again"
        raise BenchError(what, where=table.place, fix=fix)
    more = f" ({len(wrong)} lines in all)" if len(wrong) > 1 else ""
    what = f"the row has {len(first)} fields, the header {whole}{more}"
    raise BenchError(what, where=table.where(wrong[0]), fix=_width_fix(table, first, width, strict))


def _width_fix(table: TextTable, fields: list[str], width: int, strict: bool) -> str:
    mark = table.separator if table.separator != "\t" else "a tab"
    if not strict:
        return "use the unchanged file: download it again"
    if len(fields) < width:
        return f"complete the line; a blank field needs its separator ({mark}) too"
    if not any(field.strip() for field in fields[width:]):
        return f"remove the separator ({mark}) at the end of the lines, or name the column in the header"
    return f"put texts that contain the separator ({mark}) in double quotes"
