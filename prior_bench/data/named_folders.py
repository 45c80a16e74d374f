"""Folders and files of data that somebody here has named: their images may be shown in reports.

The notes lie in the state folder of the user. In a cache, a store or a working folder, somebody else could
send them along with a record that names files of the user.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from prior_bench import paths
from prior_bench.errors import BenchError


def remember(folder: Path) -> None:
    """Note that somebody here named a folder or file."""
    note = _note_of(folder)
    if note is not None and not os.path.isfile(note):
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_bytes(os.fsencode(os.path.abspath(folder)) + b"\n")
        except OSError:
            pass  # a home that cannot be written: reports will ask to open the data once


def is_known(folder: Path) -> bool:
    """Whether a folder or file is under the data root, or somebody here has named it before.

    A link in a data root that the user has named is the user's own. One in the working folder, which somebody
    may have sent, does not count if it leads out of it.
    """
    if Path(os.path.abspath(folder)).is_relative_to(os.path.abspath(paths.data_root())):
        with suppress(BenchError):
            paths.led_here(folder)
            return True
    return is_noted(folder)


def is_noted(folder: Path) -> bool:
    """Whether somebody here has named a folder or file before."""
    note = _note_of(folder)
    return note is not None and os.path.isfile(note)


def _note_of(folder: Path) -> Path | None:
    root, place = paths.state_root(), os.fsencode(os.path.abspath(folder))
    return root and root / "opened" / f"{hashlib.sha256(place).hexdigest()[:16]}.txt"
