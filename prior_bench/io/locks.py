"""Locks between processes: a folder that one process at a time may write to.

A lock vanishes with its process, however that ends; a ``.lock`` file that is left behind holds nobody up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from prior_bench.errors import BenchError

LOCK = ".lock"
"""Name of the lock's file in the folder that it protects."""


@contextmanager
def sole_writer(folder: Path, busy: str, fix: str, cannot: str = "") -> Iterator[None]:
    """Hold a folder, which is made, or refuse at once.

    Args:
        folder: what to hold.
        busy: what to say where another process holds it.
        fix: remedy for that.
        cannot: remedy where the folder cannot be written.

    Raises:
        BenchError: another process holds the folder, or it cannot be written.
    """
    lock = _lock(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise BenchError(busy, where=folder, fix=fix) from error
    except OSError as error:
        raise BenchError(f"cannot be written ({error})", where=folder, fix=cannot) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def one_at_a_time(folder: Path, waiting: str) -> Iterator[None]:
    """Hold a folder, which is made; where another process holds it, say ``waiting`` on stderr and wait.

    Raises:
        BenchError: the folder cannot be written.
    """
    lock = _lock(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            print(f"{waiting}: {folder}", file=sys.stderr)
            lock.acquire(poll_interval=0.2)
    except OSError as error:
        raise BenchError(f"cannot be written ({error})", where=folder) from error
    try:
        yield
    finally:
        lock.release()


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / LOCK, thread_local=False)
