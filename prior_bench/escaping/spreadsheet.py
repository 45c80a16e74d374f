"""Cells of CSV files that a spreadsheet takes for text."""

from __future__ import annotations

from typing import Any

from prior_bench.escaping.signs import visible

STARTS = (
    *("=", "+", "-", "@", "\t"),
    *("\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}"),
    *("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}"),
)
"""What a formula begins with, in one program or another."""


def cell(value: Any) -> Any:
    """Return a value for a CSV file; a text that would be a formula gets an apostrophe in front.

    Numbers, also those written as text, are returned as they are.
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    if not text.lstrip(" \n").startswith(STARTS) or _is_number(text):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
