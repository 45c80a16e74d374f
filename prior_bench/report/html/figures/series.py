"""Named series of values for figures, made from the seeds of a row, and their description in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import mean, stdev


@dataclass
class Series:
    """A named series: positions, values, and optionally their errors ``std``, drawn as a band or as bars.

    Attributes:
        name: of the row, which decides the look.
        part: which of several series of the row it is, e.g. ``"seed 0"``; for the description in words.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    std: Sequence[float] = field(default_factory=list)
    part: str = ""


def over_seeds(name: str, x: Sequence[float], values: list[list[float]]) -> Series:
    """Compute means and sample standard deviations of the values at each position; NaN for too few values."""
    means = [mean(v) if v else math.nan for v in values]
    return Series(name, x, means, [stdev(v) if len(v) > 1 else math.nan for v in values])


def spread_caption(series: Iterable[Series], shape: str) -> str:
    """Return a sentence about the bands or bars of a figure, or about their absence with one seed."""
    if any(math.isfinite(std) for line in series for std in line.std):
        return f"{shape} show ± one standard deviation over the seeds."
    return "There is one seed, so no spread is shown."


def values_text(series: list[Series], positions: list[list[str]]) -> str:
    """Return the values in words, for screen readers; for long lines, only the first and the last.

    Args:
        positions: for each series, the names of the positions of its values.
    """
    told = []
    for line, places in zip(series, positions, strict=True):
        values = [f"{p} {y:.3g}" for p, y in zip(places, line.y, strict=True) if math.isfinite(y)]
        values = values if len(values) <= 15 else [values[0], "…", values[-1]]
        name = f"{line.name}, {line.part}" if line.part else line.name
        told.append(f"{name}: {', '.join(values)}")
    return "; ".join(told)
