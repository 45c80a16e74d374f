"""Exchange of records between stores: results of several people are combined, and none is overwritten.

An exported file is a ZIP archive with the layout of the store: ``plan.json`` and ``runs/<key>/…``.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_file, whole_folder
from prior_bench.io.room import FULL, cannot_write, of_the_disk
from prior_bench.store.cells import identity
from prior_bench.store.store import Store

FILES = ("record.json", "predictions.npz", "traceback.txt")
"""Files of a run that are exchanged."""

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError)
"""Exceptions raised when a damaged or encrypted ZIP file is read."""

TOLERANCE = 1e-6
"""Values that differ by at most this much count as equal, because machines round differently."""


@dataclass
class Merged:
    """The outcome of an import.

    Attributes:
        added: keys that are new in the target store.
        known: keys whose record is the same in both stores.
        conflicts: the difference, by key; the record of the target store was kept.
        damaged: keys without a readable record.
    """

    added: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)


def export_store(store: Store, path: Path) -> int:
    """Write the readable records of a store to a ZIP file atomically; returns their number.

    Raises:
        BenchError: the store is empty, or the file cannot be written.
    """
    keys = list(store.records())
    if not keys:
        raise BenchError("there are no records to export", where=store.root)
    with (
        whole_file(path) as fresh,
        # files of a time before 1980 or after 2107 are given the nearest that the format has
        zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
    ):
        if (store.root / "plan.json").is_file():
            archive.write(store.root / "plan.json", "plan.json")
        for key in keys:
            for name in FILES:
                if (store.runs / key / name).is_file():
                    archive.write(store.runs / key / name, f"runs/{key}/{name}")
    return len(keys)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a store to import from: the folder of a store, or an exported file, unpacked temporarily.

    Raises:
        BenchError: the path is neither.
    """
    if (path / "runs").is_dir():
        yield Store(path)
        return
    if not path.is_file():
        raise BenchError("is neither a store nor an exported file", where=path)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                for name in filter(_ours, archive.namelist()):
                    archive.extract(name, folder)
        except DAMAGED as error:
            if (disk := of_the_disk(error)) and disk.errno in FULL:  # the archive itself is whole
                raise cannot_write(Path(folder), disk, "set TMPDIR") from error
            fix = "export it again: prior-bench results export"
            raise BenchError(f"is not an exported store: {error}", where=path, fix=fix) from error
        if not (Path(folder) / "runs").is_dir():
            raise BenchError("contains no runs", where=path)
        yield Store(Path(folder))


def merge(source: Store, target: Store) -> Merged:
    """Copy the records that ``target`` lacks. Existing records are kept; different values are a conflict.

    Cells that the plan of ``target`` lacks are added to it, because tables show the cells of the plan.

    Raises:
        BenchError: another process is writing to ``target``.
    """
    result = Merged()
    with target.writing():
        for folder in sorted(p for p in source.runs.glob("*") if not p.name.startswith(".")):
            key = folder.name
            theirs, ours = source.get(key), target.get(key)
            if theirs is None or theirs.key != key:
                result.damaged.append(key)
            elif ours is None:
                _copy(folder, target.runs / key)
                result.added.append(key)
            elif difference := _difference(ours, theirs):
                result.conflicts[key] = difference
            else:
                result.known.append(key)
        _merge_plans(source, target)
    return result


def _ours(name: str) -> bool:
    """Whether a member of an archive belongs to a store; all others are not extracted."""
    parts = PurePosixPath(name).parts
    if parts == ("plan.json",):
        return True
    return len(parts) == 3 and parts[0] == "runs" and ".." not in parts and parts[2] in FILES


def _copy(folder: Path, place: Path) -> None:
    with whole_folder(place, durable=True) as fresh:  # replaces an unreadable record, which counts as missing
        for name in FILES:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, fresh / name)


def _difference(ours: RunRecord, theirs: RunRecord) -> str:
    """The first difference between two records of the same key; empty if they agree."""
    if ours.status != theirs.status:
        return f"{ours.status} here, {theirs.status} there"
    for name in dict.fromkeys([*ours.metrics, *theirs.metrics]):
        here, there = ours.metrics.get(name, math.nan), theirs.metrics.get(name, math.nan)
        if not (abs(here - there) <= TOLERANCE or (math.isnan(here) and math.isnan(there))):
            return f"{name} is {here:.6g} here, {there:.6g} there"
    return ""


def _merge_plans(source: Store, target: Store) -> None:
    ours, theirs = target.plan(), source.plan()
    if not theirs or (not ours and target.records().keys() - {cell["key"] for cell in theirs}):
        return  # without a plan, tables show all records
    known = {identity(cell["spec"]) for cell in ours}
    if new := [cell for cell in theirs if identity(cell["spec"]) not in known]:
        target.save_plan([*ours, *new])
