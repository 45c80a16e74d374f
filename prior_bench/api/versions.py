"""Declared versions: integers that are raised by hand when results change; they are part of keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from prior_bench.errors import BenchError

Part = TypeVar("Part", bound=Callable[..., Any])


def versioned(number: int) -> Callable[[Part], Part]:
    """Return a decorator that declares the version of a function, such as a reader or a corruption.

    A function without the decorator has version 1. Classes (tasks, methods, hooks, generators) declare their
    version as the class attribute ``version`` instead.

    Args:
        number: the version, raised by one whenever the same input gives a different output than before.
    """

    def declare(part: Part) -> Part:
        part.version = number  # type: ignore[attr-defined]
        return part

    return declare


def version_of(part: Any, what: str = "") -> int:
    """The version that a class, function or object declares in its attribute ``version``; 1 if it has none.

    Args:
        part: the class, function or object.
        what: its name in messages.

    Raises:
        BenchError: the attribute is not an integer of at least 1.
    """
    number = getattr(part, "version", 1)
    if type(number) is not int or number < 1:
        raise BenchError(
            f"declares the version {number!r}",
            where=what or getattr(part, "__qualname__", type(part).__qualname__),
            fix="set 'version' to an integer of at least 1; if it has another meaning, rename it",
        )
    return number
