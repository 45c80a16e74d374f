"""Say in one message that stored results do not have the content that a task scores or a section shows.

Predictions are arrays of any task and any version, and of anybody who sent them. Their shapes are checked
when they are read; what they hold can only be found wrong where it is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prior_bench.errors import BenchError

UNFIT = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RuntimeError,
    MemoryError,
    UnboundLocalError,
)
"""What computing with arrays and values of wrong content raises; the last one, matplotlib for the ticks of an
axis that no number can measure."""


@contextmanager
def fitting(where: object, what: str = "the stored predictions do not fit") -> Iterator[None]:
    """Turn whatever goes wrong in the block into one message.

    Args:
        where: run or evaluation whose results are used.
        what: what is wrong with them, in words.

    Raises:
        BenchError: the block raised something that wrong content raises.
    """
    try:
        yield
    except UNFIT as error:
        reason = f"they lack {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        fix = "check where they are from, or run the suite with --overwrite all"
        raise BenchError(f"{what}: {reason.splitlines()[0][:200]}", where=where, fix=fix) from error
