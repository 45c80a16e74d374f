"""What an archive of results may unpack to: checked before anything of it is written."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB

FREELY, RATIO = 64 * MIB, 50
"""An archive unpacks to so many bytes, or to so many times its own size; records shrink to a fifth."""


def check_unpacked(
    members: Sequence[zipfile.ZipInfo], most: Callable[[str], int], path: Path, folder: Path, kind: str
) -> None:
    """Raise BenchError if an archive unpacks to more than it should, or to more than the disk has.

    Args:
        members: what would be unpacked.
        most: gives the bytes that the member of a name may have.
        path: the archive.
        folder: where it would be unpacked to, a temporary folder.
        kind: what it is taken for, as in "is no bundle".
    """
    for member in members:
        if member.file_size > (limit := most(member.filename)):
            unpacked = f"{member.file_size / MIB:.0f} MiB"
            what = f"{member.filename} unpacks to {unpacked}; at most {limit // MIB} are read"
            raise BenchError(what, where=path)
    total, size = sum(member.file_size for member in members), path.stat().st_size
    if total > max(FREELY, RATIO * size):
        what = f"{size / MIB:.1f} MiB unpack to {total / MIB:.0f} MiB, which is no {kind}"
        raise BenchError(what, where=path)
    if total > (free := shutil.disk_usage(folder).free):
        what = f"unpacks to {total / MIB:.0f} MiB, and {free / MIB:.0f} MiB are free in {folder.parent}"
        raise BenchError(what, where=path, fix="set TMPDIR to a folder with more room")
