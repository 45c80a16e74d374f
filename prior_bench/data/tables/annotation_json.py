"""Annotation files in JSON as downloaded, with every way of being wrong named."""

from __future__ import annotations

import json
import re
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
ESCAPED, HALF = re.compile(r"\\u[dD][89a-fA-F]"), re.compile("[\ud800-\udfff]")
"""Half a pair of surrogates as JSON spells it, and as Python holds it; whole pairs are one letter there."""


def read_json(path: Path, kind: type) -> Any:
    """The content of a JSON file, whose top level must be a dict or a list.

    Raises:
        BenchError: missing, empty, too large, truncated or no JSON, another top level, or a text with half a
            pair of surrogates, which no file name and no output can hold.
    """
    require_file(path)
    if not path.stat().st_size:
        raise BenchError("file is empty", where=path, fix=AGAIN)
    try:
        text = json_text(path, LARGEST, MOST_VALUES, "utf-8-sig")
        content = json.loads(text)
    except (ValueError, RecursionError) as error:  # also for numbers of thousands of digits
        raise BenchError(f"not a JSON file as expected ({error})", where=path, fix=AGAIN) from error
    if not isinstance(content, kind):
        what = f"holds a {type(content).__name__} at its top level; expected is a {kind.__name__}"
        raise BenchError(what, where=path, fix=AGAIN)
    if ESCAPED.search(text) and (place := _half_a_pair(content)):
        what = "holds half a pair of surrogates, which is no text"
        raise BenchError(what, where=f"{path}, {place}", fix=AGAIN)
    return content


def _half_a_pair(content: Any) -> str:
    """Return where a text has half a pair of surrogates, as ``[3]['file_name']``, or ""."""
    waiting: list[tuple[str, Any]] = [("", content)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str) and HALF.search(value):
            return place
        if isinstance(value, dict):
            if any(map(HALF.search, value)):
                return f"a key in {place or 'the file'}"
            waiting += [(f"{place}[{ascii(key)}]", part) for key, part in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(f"{place}[{n}]", value[n]) for n in range(len(value) - 1, -1, -1)]
    return ""


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
