"""Limits of outlines and runs in annotation files: beyond them, the libraries that draw them never end."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from prior_bench.errors import BenchError

FARTHEST = 100_000
"""Largest coordinate in pixels; an image has at most 65,535 in a direction that any format here can state."""
LONGEST = 5_000_000
"""Most pixels along all outlines of a mask; drawing takes some 40 bytes for each."""
AGAIN = "download the file again"


def check_outlines(outlines: Iterable[Sequence[float]]) -> None:
    """Raise ValueError unless outlines (x1, y1, x2, y2, ...) are finite and of a size that can be drawn.

    Raises:
        ValueError: a coordinate is no number or far outside any image, or the outlines are too long.
    """
    length = 0.0
    for numbers in outlines:
        for number in numbers:
            if isinstance(number, str | bool) or not math.isfinite(number) or abs(number) > FARTHEST:
                raise ValueError(f"the coordinate {str(number)[:40]!r} is in no image")
        if not numbers:
            continue
        xs, ys = numbers[::2], numbers[1::2]
        for x, y, before_x, before_y in zip(xs, ys, [xs[-1], *xs], [ys[-1], *ys], strict=False):
            length += max(abs(x - before_x), abs(y - before_y))
    if length > LONGEST:
        raise ValueError(f"the outlines are {length:,.0f} pixels long")


def require_drawable(shapes: Iterable[tuple[str, Sequence[float]]], where: object = None) -> None:
    """Raise BenchError for what :func:`check_outlines` refuses; ``shapes`` are pairs of kind and outline."""
    try:
        check_outlines(numbers for _, numbers in shapes)
    except ValueError as error:
        raise BenchError(f"cannot be drawn: {error}", where=where or "outline", fix=AGAIN) from error
