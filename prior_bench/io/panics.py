"""Faults of libraries in Rust, such as tokenizers: a damaged file can make them panic.

A panic is no ``Exception`` in Python: it would pass all handlers and end the command with a traceback.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prior_bench.errors import BenchError


@contextmanager
def panics_named(what: str, where: object = None) -> Iterator[None]:
    """Turn a panic inside the block into one message; other errors pass.

    Args:
        what: what the library works with, such as ``"its tokenizer"``.
        where: the file.

    Raises:
        BenchError: the library panicked.
    """
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # each library has its own, and none exports it
            raise
        reason = (str(error).splitlines() or [""])[0][:200]
        raise BenchError(
            f"{what} is damaged: its library stopped ({reason})",
            where=where,
            fix="take the tokenizer of the model's authors",
        ) from error
