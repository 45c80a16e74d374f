"""Writing a file under the cache root whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from prior_bench.errors import BenchError


def write_whole(place: Path, content: bytes) -> None:
    """Write through a temporary sibling, its own for each process; folders are made.

    Raises:
        BenchError: the disk is full, or refuses.
    """
    partial = place.with_suffix(f".{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, place)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise BenchError(
            f"cannot be written ({error})", where=place, fix="make room, or set PRIOR_BENCH_CACHE"
        ) from error
