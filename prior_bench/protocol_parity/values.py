"""Compare quantities: numbers within a tolerance, everything else exactly."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from typing import Any

import numpy as np

from prior_bench.protocol_parity.ingredients import Values

RELATIVE = 1e-6
"""Largest relative error of a number, unless a fixture states another."""
SMALLEST = 1e-6
"""Numbers below this count as this in the denominator of a relative error."""


def differing(ours: Values, expected: Values, tolerance: Mapping[str, float]) -> dict[str, str]:
    """Return what differs, by name of the quantity.

    Args:
        ours: our quantities.
        expected: those of the official code. Quantities that only ours have are ignored.
        tolerance: largest relative error by pattern of the name; the last pattern that matches wins.
    """
    found = {}
    for name, value in expected.items():
        allowed = [limit for pattern, limit in tolerance.items() if fnmatch(name, pattern)]
        problem = _problem(ours.get(name), value, allowed[-1] if allowed else RELATIVE)
        if problem:
            found[name] = problem
    return found


def _problem(ours: Any, official: Any, relative: float) -> str:
    if ours is None and official is not None:
        return "not computed"
    mine, theirs = _numbers(ours), _numbers(official)
    if mine is None or theirs is None:
        return "" if _plain(ours) == _plain(official) else f"ours {_short(ours)}, theirs {_short(official)}"
    if mine.shape != theirs.shape:
        return f"ours has shape {mine.shape}, theirs {theirs.shape}"
    known = ~np.isnan(theirs)
    if not np.array_equal(~np.isnan(mine), known):
        return "NaN at other places"
    mine, theirs = mine[known], theirs[known]
    error = float(np.abs(mine - theirs).max(initial=0.0)) / max(
        float(np.abs(theirs).max(initial=0.0)), SMALLEST
    )
    if error <= relative:
        return ""
    values = f"ours {_short(ours)}, theirs {_short(official)}"
    return f"relative error {error:.1e} (allowed {relative:.0e}): {values}"


def _numbers(value: Any) -> np.ndarray | None:
    """Return a number or nested list of numbers as an array; None if it is something else."""
    try:
        array = np.asarray(value)
    except ValueError:  # ragged lists
        return None
    if array.dtype.kind not in "iuf":
        return None
    return array.astype(np.float64)


def _plain(value: Any) -> Any:
    """Return tuples and arrays as lists, so that they compare with values of a JSON file."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _short(value: Any) -> str:
    text = str(_plain(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
