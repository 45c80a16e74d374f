"""Read published numbers from CSV files, to which anyone may add.

The shipped files are in ``results/published``; more are read from ``<results root>/published``.
``docs/published.md`` describes the columns. The first ten state what is printed, where, and how it was read.
The others express it in the terms of this suite and determine which runs are comparable.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.errors import BenchError, ErrorList, unknown_name
from prior_bench.io.bounded import json_text

CHOICES = {
    "verified": ("yes", "no"),
    "frozen": ("yes", "no", ""),
    "kind": ("printed", "re-run", "aggregate"),
}
"""Columns with a fixed vocabulary."""

REQUIRED = ("method", "task", "dataset", "metric", "source_paper", "via", "family", "data")
"""Columns that may not be empty."""

UNIQUE = ("method", "task", "dataset", "metric", "label_fraction", "source_paper", "source_table", "via")
"""Columns that together identify a number: no two lines may agree in all of them."""

MOST_NAMED = 20
"""Unknown columns of a file that are named."""


@dataclass(frozen=True)
class Published:
    """A published number, from one line of a file.

    Attributes:
        method, task, dataset, metric: names in the source.
        label_fraction: as printed (``"1%"``), ``"0%"`` if no labels are used, or ``"unknown"``.
        value: in the unit of the source, mostly percent.
        source_paper, source_table, via, verified: where and how it was read, and whether it was read in the
            source itself (which does not mean that it was reproduced).
        family, data, split, frozen, variant: task, data set, split rule, whether the backbone is frozen, and
            metric in the terms of this suite; empty if the source does not state it.
        half_width: half the width of a 95 % interval in the source, or None.
        kind: ``"printed"``, ``"re-run"`` (not by the method's authors) or ``"aggregate"`` (a listing without
            table and protocol).
        note: facts that a reader should know.
        digits: number of printed decimals.
        where: file and line.
    """

    method: str
    task: str
    dataset: str
    metric: str
    label_fraction: str
    value: float
    source_paper: str
    source_table: str
    via: str
    verified: str
    family: str
    data: str
    split: str
    frozen: str
    variant: str
    half_width: float | None
    kind: str
    note: str
    digits: int = 1
    where: str = ""

    @property
    def fraction(self) -> float | None:
        """The label fraction as a share, or None if it is unknown."""
        return float(self.label_fraction[:-1]) / 100 if self.label_fraction.endswith("%") else None


COLUMNS = tuple(f.name for f in fields(Published) if f.name not in ("digits", "where"))
"""Columns of a file, in order."""


def load_published(folders: Iterable[Path] | None = None) -> list[Published]:
    """Read all published numbers, in the order of the files' names and lines.

    Args:
        folders: folders to read; by default the shipped one and the one under the results root.

    Raises:
        ErrorList: the files have errors; all are listed.
    """
    if folders is None:
        folders = (paths.shipped("results/published"), paths.results_root() / "published")
    files = {path.resolve(): path for folder in folders for path in sorted(Path(folder).glob("*.csv"))}
    numbers: list[Published] = []
    errors: list[BenchError] = []
    for path in files.values():
        found, wrong = read_file(path)
        numbers, errors = numbers + found, errors + wrong
    seen: dict[tuple, Published] = {}
    for number in numbers:
        first = seen.setdefault(tuple(getattr(number, name) for name in UNIQUE), number)
        if first is not number:
            fix = "keep one of the two"
            errors.append(BenchError(f"the same number as {first.where}", where=number.where, fix=fix))
    if errors:
        raise ErrorList(f"{len(errors)} problem(s) with published numbers:", errors)
    return numbers


def read_file(path: Path) -> tuple[list[Published], list[BenchError]]:
    """Return the numbers of one file, and its errors."""
    try:
        lines = _lines(json_text(path, encoding="utf-8-sig"))
    except BenchError as error:  # it may have come with a results root of somebody else
        return [], [error]
    except (OSError, ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        return [], [BenchError(f"cannot be read as CSV: {reason}", where=path, fix="see docs/published.md")]
    columns = lines[0][1]
    further = [c for c in columns if c not in COLUMNS][:MOST_NAMED]
    unknown = [unknown_name("column", c, list(COLUMNS), where=f"{path}:1") for c in further]
    twice = sorted({c for c in columns if columns.count(c) > 1})
    unknown += [BenchError(f"has the column '{c}' twice", where=f"{path}:1") for c in twice]
    missing = [BenchError(f"has no column '{c}'", where=f"{path}:1") for c in COLUMNS if c not in columns]
    if unknown or missing:
        return [], unknown + missing
    numbers, errors = [], []
    for line, values in lines[1:]:
        row = dict(zip(columns, values, strict=True))
        wrong = _row_errors(row, f"{path}:{line}")
        errors += wrong
        if not wrong:
            numbers.append(_number(row, f"{path}:{line}"))
    return numbers, errors


def select(numbers: Iterable[Published], wanted: dict[str, Any]) -> list[Published]:
    """Return the numbers whose columns have the wanted values (a list gives alternatives)."""

    def fits(number: Published) -> bool:
        alternatives = {k: v if isinstance(v, (list, tuple)) else [v] for k, v in wanted.items()}
        return all(getattr(number, name) in values for name, values in alternatives.items())

    return [number for number in numbers if fits(number)]


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The lines that are not blank, the header first: the number of each in the file, and its fields.

    The standard library's reader is enough here, and a table of published numbers starts without pandas.

    Raises:
        csv.Error: not CSV.
        ValueError: there is no line, or one has more or fewer fields than the header.
    """
    found, start = [], 1
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    for fields_ in reader:
        if fields_:
            found.append((start, fields_))
        start = reader.line_num + 1
    if not found:
        raise ValueError("it is empty")
    count = len(found[0][1])
    for line, fields_ in found:
        if len(fields_) != count:
            raise ValueError(f"line {line} has {len(fields_)} fields, and the header has {count}")
    return found


def _row_errors(row: dict[str, Any], where: str) -> list[BenchError]:
    errors = [BenchError(f"'{name}' is empty", where=where) for name in REQUIRED if not row[name].strip()]
    for name, allowed in CHOICES.items():
        if row[name] not in allowed:
            fix = f"one of: {', '.join(value or '(empty)' for value in allowed)}"
            errors.append(BenchError(f"'{name}' is '{row[name]}'", where=where, fix=fix))
    for name, optional in (("value", False), ("half_width", True)):
        if not (_is_number(row[name]) or (optional and not row[name])):
            errors.append(BenchError(f"'{name}' is '{row[name]}', not a number", where=where))
    fraction = row["label_fraction"]
    if fraction != "unknown" and not (fraction.endswith("%") and _is_number(fraction[:-1])):
        fix = "a percentage such as 1%, or unknown"
        errors.append(BenchError(f"'label_fraction' is '{fraction}'", where=where, fix=fix))
    return errors


def _is_number(text: str) -> bool:
    import math

    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _number(row: dict[str, str], where: str) -> Published:
    values: dict[str, Any] = {**row, "value": float(row["value"])}
    values["half_width"] = float(row["half_width"]) if row["half_width"] else None
    return Published(**values, digits=len(row["value"].partition(".")[2]), where=where)
