"""Folders and files of data that somebody here has named: their images may be shown in reports."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from prior_bench import paths


def remember(folder: Path) -> None:
    """Note that somebody here named a folder or file."""
    note = _note_of(folder)
    if not os.path.isfile(note):
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_bytes(os.fsencode(os.path.abspath(folder)) + b"\n")
        except OSError:
            pass  # a cache that cannot be written: reports will ask to open the data once


def is_known(folder: Path) -> bool:
    """Whether a folder or file is under the data root, or somebody here has named it before."""
    # not resolved: a link in the data root is the user's own
    place = Path(os.path.abspath(folder))
    return place.is_relative_to(os.path.abspath(paths.data_root())) or os.path.isfile(_note_of(folder))


def _note_of(folder: Path) -> Path:
    place = os.path.abspath(folder)
    return paths.cache_root() / "opened" / f"{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}.txt"
