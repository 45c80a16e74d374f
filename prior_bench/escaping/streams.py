"""Output streams on which no text acts: what the command line prints goes through here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prior_bench.escaping.signs import visible


class VisibleStream:
    """A text stream that writes control characters as escapes (:func:`prior_bench.escaping.signs.visible`).

    Attributes:
        bare: the stream beneath, for what must move the cursor.
    """

    def __init__(self, bare: Any):
        self.bare = bare

    def write(self, text: str) -> int:
        """Write a text; return its length, as streams do."""
        self.bare.write(visible(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bare, name)


def bare(stream: Any) -> Any:
    """Return the stream beneath a :class:`VisibleStream`, and any other stream as it is."""
    return stream.bare if isinstance(stream, VisibleStream) else stream


@contextmanager
def visible_output() -> Iterator[None]:
    """Let standard output and standard error be visible streams inside the block."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = VisibleStream(bare(sys.stdout)), VisibleStream(bare(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
