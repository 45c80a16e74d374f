"""Locks that let only one process at a time write to a folder.

The lock is released when its process ends for any reason. A leftover ``.lock`` file blocks nobody.
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
    """Lock a folder, which is made if necessary, or fail immediately.

    Args:
        folder: folder to lock.
        busy: message if another process holds the lock.
        fix: remedy in this case.
        cannot: remedy if the folder cannot be written.

    Raises:
        BenchError: another process holds the lock, or the folder cannot be written.
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
    """Lock a folder, which is made if necessary; if it is locked, print ``waiting`` on stderr and wait.

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
    if (folder / LOCK).is_symlink():  # a lock is emptied, and so would be what the link stands for
        raise BenchError("is a symbolic link", where=folder / LOCK, fix="delete it")
    return FileLock(folder / LOCK, thread_local=False)
