"""Annotation files in JSON as downloaded, with every way of being wrong named."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.data.tables.text_file import require_file
from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB, json_text

AGAIN = "download it again"
LARGEST, MOST_VALUES = 512 * MIB, 20_000_000
"""Bytes, and commas and brackets, of the largest file that is read; a value takes a hundred bytes."""


def read_json(path: Path, kind: type) -> Any:
    """The content of a JSON file, whose top level must be a dict or a list.

    Raises:
        BenchError: missing, empty, too large, truncated or no JSON, or another top level.
    """
    require_file(path)
    if not path.stat().st_size:
        raise BenchError("file is empty", where=path, fix=AGAIN)
    try:
        content = json.loads(json_text(path, LARGEST, MOST_VALUES, "utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise BenchError(f"not a JSON file as expected ({error})", where=path, fix=AGAIN) from error
    if not isinstance(content, kind):
        what = f"holds a {type(content).__name__} at its top level; expected is a {kind.__name__}"
        raise BenchError(what, where=path, fix=AGAIN)
    return content


def require_keys(entry: Any, keys: Iterable[str], where: str) -> None:
    """Raise BenchError where an entry is no dict, or lacks one of ``keys``."""
    if not isinstance(entry, dict):
        raise BenchError(f"is a {type(entry).__name__}; expected is a dict", where=where, fix=AGAIN)
    missing = [key for key in keys if key not in entry]
    if missing:
        there = ", ".join(map(str, entry)) or "none"
        raise BenchError(f"lacks {', '.join(missing)}; keys present: {there}", where=where, fix=AGAIN)


def four_numbers(box: Any, where: str) -> tuple[float, float, float, float]:
    """The numbers of a box.

    Raises:
        BenchError: they are not four finite numbers.
    """
    try:
        numbers = np.asarray(box, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.shape != (4,) or not np.isfinite(numbers).all():
        raise BenchError(f"box {box!r} is not four numbers", where=where, fix=AGAIN)
    a, b, c, d = numbers.tolist()
    return a, b, c, d
