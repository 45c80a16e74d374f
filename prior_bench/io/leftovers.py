"""Temporary files and folders of killed processes: which they are, and how they are removed.

A writer's temporary name says who writes: ``.<name>.<host>-<pid>-<machine>-<random>.part``. On the same
machine, it is known whether this process still runs; its files are removed if not, and left alone if so.
"""

from __future__ import annotations

import glob
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path

from prior_bench.io.processes import host, is_alive, machine

UNFINISHED = ".part"
"""Suffix of a file or folder that is being written."""
REPLACED = ".old"
"""Suffix of a folder that is being replaced."""
DAY = 24 * 3600.0
"""Age in seconds from which temporary files of another machine belong to killed processes."""
OWNER = re.compile(r"-(\d+)-([0-9a-f]{8})-[0-9a-f]{8}\.(part|old)$")

_cleaned: set[tuple[int, Path]] = set()


def sibling(path: Path, suffix: str) -> Path:
    """Return a hidden name that no other writer uses, on this host or another host that shares the disk."""
    owner = f"{host()}-{os.getpid()}-{machine()}-{secrets.token_hex(4)}"
    return path.parent / f".{path.absolute().name}.{owner}{suffix}"


def remove_leftovers(folder: Path, name: str = "", older_than: float = 0.0) -> None:
    """Remove temporary files of killed processes from ``folder``; those of living ones are kept.

    A folder that was to be replaced is restored if its replacement does not exist. In a folder from others,
    names may be forged: links are removed and never followed or restored.

    Args:
        folder: folder to clean; its subfolders are not searched.
        name: name of the file or folder that was being written; empty for all.
        older_than: age in seconds. Younger files are kept if it is not known whether their process runs,
            because it is on another machine.
    """
    start = f".{glob.escape(name) if name else '*'}.*"
    for leftover in [*folder.glob(start + UNFINISHED), *folder.glob(start + REPLACED)]:
        # its owner may have renamed it just now; too many folders in each other are a RecursionError
        with suppress(OSError, RecursionError):
            alive = _alive(leftover)
            if alive or (alive is None and older_than and _age(leftover) < older_than):
                continue
            is_folder, target = leftover.is_dir() and not leftover.is_symlink(), _target(leftover)
            if not is_folder:
                leftover.unlink()
            elif leftover.suffix == REPLACED and target is not None and not target.exists():
                os.rename(leftover, target)
            else:
                shutil.rmtree(leftover, ignore_errors=True)


def clean_once(folder: Path) -> None:
    """Remove what killed processes of this machine left in ``folder``, when it is first written to."""
    place = os.getpid(), folder
    if place not in _cleaned:
        _cleaned.add(place)
        with suppress(OSError):
            remove_leftovers(folder, older_than=DAY)


def _age(leftover: Path) -> float:
    """Return the seconds since a file was written; of one with a time in the future, those until then."""
    return abs(time.time() - leftover.lstat().st_mtime)


def _alive(leftover: Path) -> bool | None:
    """Whether the process that a temporary name states still runs; None if that cannot be known here.

    Another process may have got the number of a killed one; its files then wait for the next start.
    """
    found = OWNER.search(leftover.name)
    return is_alive(int(found[1])) if found and found[2] == machine() else None


def _target(leftover: Path) -> Path | None:
    """Return the path for which :func:`sibling` made a name, or None if it is none of its names."""
    name = leftover.stem[1:].rpartition(".")[0]
    return None if name in ("", ".", "..") else leftover.with_name(name)
