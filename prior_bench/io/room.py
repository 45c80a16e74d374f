"""Say of a file that cannot be written why, and, where the disk is full, how much room is needed."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prior_bench.errors import StorageError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Error numbers of a full disk, an exhausted quota, and a file above the permitted size."""
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""Error numbers of places that may not be written to."""
WRITABLE = "choose a folder that can be written"


def cannot_write(path: Path, error: BaseException, fix: str = "", needed: int | None = None) -> StorageError:
    """Return the error for a file or folder that cannot be written.

    Args:
        path: the file or folder.
        error: why; room is named if an OSError in its chain says that there is none.
        fix: remedy if the disk is not full.
        needed: bytes of the file; by default, what was written of it and a little more.
    """
    cause = of_the_disk(error) or error
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else cause
    named = getattr(cause, "filename", None)
    if isinstance(named, str | bytes | os.PathLike):
        place = Path(os.fsdecode(named))
        if place.parent != path.parent and not place.is_relative_to(path):
            reason = f"{reason}: {place}"
    if not (isinstance(cause, OSError) and cause.errno in FULL):
        return StorageError(f"cannot be written: {reason}", where=path, fix=fix or WRITABLE)
    return no_room(path, str(reason), needed, fix)


def no_room(path: Path, reason: str, needed: int | None = None, fix: str = "") -> StorageError:
    """Return the error for a file or folder for which there is no room; ``needed`` is in bytes."""
    free = free_bytes(path)
    room = ["needed: unknown" if needed is None else f"needed: {needed:,} bytes"]
    if free is not None:
        room.append(f"free: {free:,} bytes")
    if free is not None and needed is not None and free > needed:
        room.append("a quota, or the limit of file sizes (ulimit -f), is lower")
    fix = fix if fix.startswith("make room") else f"make room, or {fix or 'choose another folder'}"
    what = f"cannot be written: {reason} ({', '.join(room)})"
    return StorageError(what, where=path, fix=f"{fix}; then run the same command again")


def free_bytes(path: Path) -> int | None:
    """Return the free bytes of the disk on which a path is, or will be; None if that is unknown."""
    for place in (path, *path.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None


def of_the_disk(error: BaseException | None) -> OSError | None:
    """Return the OSError in a chain of exceptions that says that the disk is full or may not be written."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        if isinstance(error, OSError) and error.errno in (*FULL, *READ_ONLY):
            return error
        seen.append(error)
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def writing_to(path: Path, fix: str = "", needed: int | None = None) -> Iterator[None]:
    """Turn the OSErrors of a block that writes to ``path`` into the error of :func:`cannot_write`."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error, fix, needed) from error
