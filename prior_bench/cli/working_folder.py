"""What libraries read from the working folder without being told: nothing there may make them wait."""

from __future__ import annotations

import os
import stat

from prior_bench.errors import BenchError

SETTINGS = "matplotlibrc"
"""Settings of matplotlib, which looks for them in the working folder when it is imported."""
MOST_SETTINGS = 2**20
"""Bytes of such a file; the one that matplotlib ships has 42 kB."""


def check_working_folder() -> None:
    """Raise BenchError if a file of settings in the working folder is no regular file, or too large."""
    try:
        status = os.stat(SETTINGS)
    except OSError:
        return
    kind = status.st_mode
    if stat.S_ISDIR(kind) or (stat.S_ISREG(kind) and status.st_size <= MOST_SETTINGS):
        return
    what = "is no file of settings of matplotlib, which would read it"
    raise BenchError(what, where=os.path.abspath(SETTINGS), fix="remove it, or work in another folder")
