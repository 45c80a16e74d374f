"""Types of arguments that several verbs share: ``KEY=VALUE`` and counts."""

from collections.abc import Callable
from typing import Any

WORDS = {"true": True, "false": False, "none": None, "null": None}
"""Values of ``KEY=VALUE`` besides Python literals, in upper or lower case."""


def at_least(least: int) -> Callable[[str], int]:
    """Return the ``type`` of an argument that is an integer of at least ``least``."""
    from argparse import ArgumentTypeError

    def number(text: str) -> int:
        if int(text) < least:
            raise ArgumentTypeError(f"{text} is too small; the minimum is {least}")
        return int(text)

    number.__name__ = "integer"  # argparse prints this name if the text is not a number
    return number


def assignments(settings: list[str], where: str) -> dict:
    """Parse ``KEY=VALUE`` texts to a dict.

    Values are Python literals, ``true``, ``false``, ``none`` and ``null`` (upper or lower case), or otherwise
    text. The schema refuses text for keys of other types.

    Raises:
        BenchError: a text has no ``=``.
    """
    import ast

    from prior_bench.errors import BenchError

    found: dict[str, Any] = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BenchError(f"'{text}' is not KEY=VALUE", where=where)
        if value.strip().lower() in WORDS:
            found[key] = WORDS[value.strip().lower()]
            continue
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
