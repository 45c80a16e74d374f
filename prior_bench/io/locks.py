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
from prior_bench.io.room import cannot_write

LOCK = ".lock"
"""Name of the lock's file in the folder that it protects."""
CANNOT_LOCK = (OSError, NotImplementedError)
"""What a lock raises where a file cannot be written, or where the disk has no locks."""


@contextmanager
def sole_writer(folder: Path, busy: str, fix: str, cannot: str = "") -> Iterator[None]:
    """Lock a folder, which is made if necessary, or fail immediately.

    Args:
        folder: folder to lock.
        busy: message if another process holds the lock.
        fix: remedy in this case.
        cannot: remedy if the folder cannot be written.

    Raises:
        BenchError: another process holds the lock.
        StorageError: the folder cannot be written.
    """
    lock = _lock(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout as error:
        raise BenchError(busy, where=folder, fix=fix) from error
    except CANNOT_LOCK as error:
        raise cannot_write(folder, error, cannot) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def one_at_a_time(folder: Path, waiting: str) -> Iterator[None]:
    """Lock a folder, which is made if necessary; if it is locked, print ``waiting`` on stderr and wait.

    Raises:
        StorageError: the folder cannot be written.
    """
    lock = _lock(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            print(f"{waiting}: {folder}", file=sys.stderr)
            lock.acquire(poll_interval=0.2)
    except CANNOT_LOCK as error:
        raise cannot_write(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _lock(folder: Path) -> FileLock:
    if (folder / LOCK).is_symlink():  # a lock is emptied, and so would be what the link stands for
        raise BenchError("is a symbolic link", where=folder / LOCK, fix="delete it")
    return FileLock(folder / LOCK, thread_local=False)
