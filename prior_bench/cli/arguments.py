"""Arguments that several verbs share: ``KEY=VALUE``, counts."""

from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """The ``type`` of an argument that is an integer of ``least`` or more."""
    from argparse import ArgumentTypeError

    def number(text: str) -> int:
        if int(text) < least:
            raise ArgumentTypeError(f"{text} is too small; the minimum is {least}")
        return int(text)

    number.__name__ = "integer"  # argparse prints this name if the text is not a number
    return number


def assignments(settings: list[str], where: str) -> dict:
    """A dict from ``KEY=VALUE`` texts; values are Python literals, otherwise strings.

    Raises:
        BenchError: a text without ``=``.
    """
    import ast

    from prior_bench.errors import BenchError

    found = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise BenchError(f"'{text}' is not KEY=VALUE", where=where)
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found
