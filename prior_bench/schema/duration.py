"""Lengths of time in configs, such as ``10min``."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

SECONDS = {"s": 1, "min": 60, "h": 3600}
PATTERN = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|min|h)")


def seconds_of(duration: str) -> float:
    """Return the seconds of a length of time, e.g. 600 for ``10min``.

    Raises:
        ValueError: it is none.
    """
    found = PATTERN.fullmatch(duration.strip())
    if not found:
        raise ValueError(f"{duration!r} is no length of time")
    return float(found[1]) * SECONDS[found[2]]


def _checked(duration: str) -> str:
    try:
        seconds_of(duration)
    except ValueError as error:
        allowed = {"allowed": "a number with s, min or h, such as '10min'"}
        raise PydanticCustomError("allowed", "a length of time", allowed) from error
    return duration


Duration = Annotated[str, AfterValidator(_checked)]
"""A number with its unit: s, min or h."""
