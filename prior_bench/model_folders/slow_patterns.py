"""Refuse regular expressions of tokenizers that may take very long: ``(a+)+$`` doubles it with each letter.

The tokenizers library cannot be interrupted while it matches. Patterns of published tokenizers have at most
two repetitions without a limit one after the other, each of one thing of fixed length; their time then grows
at most with the square of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _constants as codes  # type: ignore[attr-defined]  # as Python's own compiler reads patterns
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from prior_bench.errors import BenchError

LONGEST = 2000
"""Characters of a pattern."""
MOST_REPEATS = 2
"""Repetitions without a limit that may follow each other."""
FEW = 16
"""A repetition up to so many times counts as one with a limit."""
_PROPERTY = re.compile(r"\\[pP]\{\^?\w+\}")


def check_patterns(rules: Any, where: object) -> None:
    """Check all regular expressions of a tokenizer, as its JSON states them.

    Raises:
        BenchError: one may take very long, or cannot be read.
    """
    for pattern in _patterns(rules):
        if why := slow(pattern):
            raise BenchError(
                f"its tokenizer has a regular expression {why}: {pattern[:80]!r}",
                where=where,
                fix="take the tokenizer of the model's authors",
            )


def slow(pattern: str) -> str:
    """Return why a regular expression may take very long; empty if it does not."""
    if len(pattern) > LONGEST:
        return f"of {len(pattern):,} characters"
    try:  # Python knows no properties of characters; what they are is of no importance here
        repeats, nested = _repeats(parser.parse(_PROPERTY.sub(r"\\w", pattern)))
    except (re.error, RecursionError, OverflowError, KeyError):
        return "that cannot be checked"
    if nested:
        return "with a choice inside a repetition"
    return f"with {repeats} repetitions after each other" if repeats > MOST_REPEATS else ""


def _repeats(sequence: Any) -> tuple[int, bool]:
    """Return the number of unlimited repetitions along the worst path, and whether one repeats a choice."""
    total, nested = 0, False
    for code, argument in sequence:
        if code is codes.BRANCH:
            inner = [_repeats(branch) for branch in argument[1]]
            found = max(count for count, _ in inner), any(deep for _, deep in inner)
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            _, most, part = argument
            count, deep = _repeats(part)
            unlimited = most is codes.MAXREPEAT or most > FEW
            choice = count > 0 or part.getwidth()[0] != part.getwidth()[1] or _has_branch(part)
            found = (count + 1, deep or choice) if unlimited else (count * max(most, 1), deep)
        elif code is codes.SUBPATTERN:
            found = _repeats(argument[-1])
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            found = _repeats(argument[1])
        elif code is codes.ATOMIC_GROUP:
            found = _repeats(argument)
        elif code in (codes.GROUPREF, codes.GROUPREF_EXISTS):
            found = (MOST_REPEATS + 1, False)  # what it repeats is known only while it matches
        else:
            found = (0, False)
        total, nested = total + found[0], nested or found[1]
    return total, nested


def _has_branch(part: Any) -> bool:
    return any(
        code is codes.BRANCH or (isinstance(argument, tuple) and _has_branch_in(argument))
        for code, argument in part
    )


def _has_branch_in(argument: tuple[Any, ...]) -> bool:
    return any(isinstance(one, parser.SubPattern) and _has_branch(one) for one in argument)


def _patterns(rules: Any) -> Iterator[str]:
    """Yield the text under every key ``Regex``."""
    if isinstance(rules, dict):
        for key, value in rules.items():
            if key == "Regex" and isinstance(value, str):
                yield value
            elif key != "model":  # the vocabulary: large, and without rules
                yield from _patterns(value)
    elif isinstance(rules, list):
        for value in rules:
            yield from _patterns(value)
