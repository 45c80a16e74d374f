"""Look up metrics by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from prior_bench.errors import unknown_name

Function = TypeVar("Function")


def metric(name: str, known: Mapping[str, Function]) -> Function:
    """Return the function of a metric.

    Raises:
        BenchError: there is no such metric, as in a record of another version or of somebody else.
    """
    if name not in known:
        raise unknown_name("metric", name, list(known))
    return known[name]
