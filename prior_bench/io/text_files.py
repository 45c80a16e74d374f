"""Writing a text file whole or not at all."""

import contextlib
import os
from pathlib import Path

from prior_bench.errors import BenchError


def write_text(path: str | Path, text: str) -> Path:
    """Write ``text`` to ``path`` through a temporary sibling; folders are made.

    Raises:
        BenchError: the place cannot be written to.
    """
    path = Path(path)
    if path.is_dir():
        raise BenchError("is a folder", where=path, fix="name a file")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, "utf-8")
        os.replace(fresh, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise BenchError(f"cannot be written: {error.strerror}", where=path) from error
    return path
