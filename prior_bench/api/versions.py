"""Declared versions: integers in keys. Whoever changes a number raises the version by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from prior_bench.errors import BenchError

Part = TypeVar("Part", bound=Callable[..., Any])


def versioned(number: int) -> Callable[[Part], Part]:
    """Decorator that declares the version of a function (a reader, a corruption); 1 without it.

    Classes (tasks, methods, hooks, generators) declare theirs as the class attribute ``version`` instead.

    Args:
        number: raised by one whenever the same input gives another output than before.
    """

    def declare(part: Part) -> Part:
        part.version = number  # type: ignore[attr-defined]
        return part

    return declare


def version_of(part: Any, what: str = "") -> int:
    """The version that a class, function or object declares in its attribute ``version``; 1 without one.

    Args:
        part: what has a version.
        what: how it is called in messages.

    Raises:
        BenchError: the attribute is not a whole number from 1.
    """
    number = getattr(part, "version", 1)
    if type(number) is not int or number < 1:
        raise BenchError(
            f"declares the version {number!r}",
            where=what or getattr(part, "__qualname__", type(part).__qualname__),
            fix="'version' is a whole number from 1; where it means something else, rename it",
        )
    return number
