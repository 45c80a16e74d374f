"""Exchange of records between stores: results of several people are combined, and none is overwritten.

An exported file is a ZIP archive with the layout of the store: ``plan.json`` and ``runs/<key>/…``. What is
imported is data of somebody else: symbolic links are not followed, and an archive is measured before it is
unpacked.
"""

from __future__ import annotations

import contextlib
import lzma
import math
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.io.atomic import whole_file, whole_folder
from prior_bench.io.bounded import MIB, MOST_JSON, is_own_file, most_arrays, not_followed, opened_zip
from prior_bench.io.room import FULL, cannot_write, of_the_disk
from prior_bench.io.unpacked import check_unpacked
from prior_bench.store.cells import identity
from prior_bench.store.store import PLAN, PREDICTIONS, RECORD, TRACEBACK, Store

FILES = (RECORD, PREDICTIONS, TRACEBACK)
"""Files of a run that are exchanged."""

DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, OSError, ValueError)
"""Exceptions raised when a damaged or encrypted ZIP file is read (NotImplementedError is a RuntimeError)."""

TOLERANCE = 1e-6
"""Values that differ by at most this much count as equal, because machines round differently."""

MOST_NAMES = 64 * MIB
"""Bytes of the directory of an exported file: some hundred thousand records."""

MOST_COPIED = {PLAN: MOST_JSON, RECORD: MOST_JSON, TRACEBACK: MOST_JSON}
"""Bytes of the largest file that is exchanged, by name; predictions have a limit that can be changed."""


@dataclass
class Merged:
    """The outcome of an import.

    Attributes:
        added: keys that are new in the target store.
        replaced: keys that had failed in the target store and are finished in the source.
        known: keys whose record is the same in both stores, or finished in the target and failed there.
        conflicts: the difference, by key; the record of the target store was kept.
        damaged: reason why there is no record that can be taken, by key.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    conflicts: dict[str, str] = field(default_factory=dict)
    damaged: dict[str, str] = field(default_factory=dict)


def export_store(store: Store, path: Path) -> int:
    """Write the readable records of a store to a ZIP file atomically; returns their number.

    Symbolic links are left out: in a store that came from somebody else, they could stand for any file here.

    Raises:
        BenchError: the store is empty, or the file cannot be written.
    """
    keys = [key for key in store.records() if is_own_file(store.runs / key / RECORD)]
    if not keys:
        raise BenchError("there are no records to export", where=store.root)
    with (
        whole_file(path) as fresh,
        # files of a time before 1980 or after 2107 are given the nearest that the format has
        zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
    ):
        if is_own_file(store.root / PLAN) and not _too_large(store.root / PLAN):
            archive.write(store.root / PLAN, PLAN)
        for key in keys:
            for name in FILES:
                if not is_own_file(file := store.runs / key / name):
                    continue
                if why := _too_large(file):
                    print(f"warning: {file}: {why}; it is left out", file=sys.stderr)
                else:
                    archive.write(file, f"runs/{key}/{name}")
    return len(keys)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a store to import from: the folder of a store, or an exported file, unpacked temporarily.

    Raises:
        BenchError: the path is neither, or the file is damaged or unpacks to too much.
    """
    if (path / "runs").is_dir():
        if (path / "runs").is_symlink():
            raise BenchError(
                "is a symbolic link, which is not followed", where=path / "runs", fix="give its target"
            )
        yield Store(path)
        return
    if not path.is_file():
        raise BenchError("is neither a store nor an exported file", where=path)
    with tempfile.TemporaryDirectory() as folder:
        try:
            with opened_zip(path, MOST_NAMES) as archive:
                members = [member for member in archive.infolist() if _ours(member.filename)]
                _check_names(members, path)
                check_unpacked(members, _most, path, Path(folder), "archive of records")
                for member in members:
                    archive.extract(member, folder)
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

    A finished run is better than a failed one, wherever it is. Cells that the plan of ``target`` lacks are
    added to it, because tables show the cells of the plan.

    Raises:
        BenchError: another process is writing to ``target``.
    """
    result = Merged()
    with target.writing():
        for folder in sorted(p for p in source.runs.glob("*") if not p.name.startswith(".")):
            key = folder.name
            try:
                theirs = _read(source, folder)
            except BenchError as error:
                result.damaged[key] = f"{error.where}: {error.what}" if error.where else error.what
                continue
            ours = target.get(key)
            if ours is None:
                _copy(folder, target.runs / key)
                result.added.append(key)
            elif ours.status == "failed" and theirs.status == "done":
                _copy(folder, target.runs / key)
                result.replaced.append(key)
            elif ours.status == theirs.status and (differs := difference(ours, theirs)):
                result.conflicts[key] = differs
            else:
                result.known.append(key)
        _merge_plans(source, target)
    return result


def _read(source: Store, folder: Path) -> RunRecord:
    """The record of a run that is to be imported.

    Raises:
        BenchError: there is none, a file is a symbolic link, or the predictions are damaged.
    """
    for place in (folder, *(folder / name for name in FILES)):
        if place.is_symlink():
            raise BenchError("a symbolic link is not followed", where=place.name)
        if is_own_file(place) and (why := _too_large(place)):
            raise BenchError(why, where=place.name)
    try:
        record = source.read(folder.name)
    except FileNotFoundError:
        raise BenchError("there is none", where=RECORD) from None
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}", where=RECORD) from error
    if is_own_file(folder / PREDICTIONS):
        try:
            source.predictions(folder.name)
        except BenchError as error:
            raise BenchError(error.what, where=PREDICTIONS) from error
    return record


def _check_names(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Raise BenchError if a file is in an archive twice: other programs may show the other one."""
    seen: set[PurePosixPath] = set()
    for name in (PurePosixPath(member.filename) for member in members):
        if name in seen:
            raise BenchError(f"holds {name} twice", where=path)
        seen.add(name)


def _most(name: str) -> int:
    """Bytes of the largest file that is exchanged under the name of a path."""
    return MOST_COPIED.get(PurePosixPath(name).name) or most_arrays()


def _too_large(file: Path) -> str:
    """Why a file is not exchanged because of its size; empty if it is. Files with holes have any size."""
    size, most = file.stat().st_size, _most(file.name)
    return f"has {size / MIB:.0f} MiB; at most {most // MIB} are exchanged" if size > most else ""


def _ours(name: str) -> bool:
    """Whether a member of an archive belongs to a store; all others are not extracted."""
    parts = PurePosixPath(name).parts
    if parts == (PLAN,):
        return True
    if len(parts) != 3 or parts[0] != "runs" or parts[2] not in FILES:
        return False
    return not parts[1].startswith(".") and "\\" not in name


def _copy(folder: Path, place: Path) -> None:
    with whole_folder(place, durable=True) as fresh:  # replaces an unreadable record, which counts as missing
        for name in FILES:
            if is_own_file(folder / name):  # and it is still none of those once it is open
                with open(folder / name, "rb", opener=not_followed) as file, open(fresh / name, "wb") as copy:
                    shutil.copyfileobj(file, copy)


def difference(ours: RunRecord, theirs: RunRecord, here: str = "here", there: str = "there") -> str:
    """The first difference between two records of the same key; empty if they agree.

    Args:
        ours, theirs: the records.
        here, there: words for where they are.
    """
    if ours.spec["task"] != theirs.spec["task"]:
        return f"its task is {ours.spec['task']} {here}, {theirs.spec['task']} {there}"
    for name in dict.fromkeys([*ours.metrics, *theirs.metrics]):
        one, two = ours.metrics.get(name, math.nan), theirs.metrics.get(name, math.nan)
        if not (abs(one - two) <= TOLERANCE or (math.isnan(one) and math.isnan(two))):
            return f"{name} is {one:.6g} {here}, {two:.6g} {there}"
    return ""


def _merge_plans(source: Store, target: Store) -> None:
    if (source.root / PLAN).is_symlink():
        print(
            f"warning: {source.root / PLAN}: a symbolic link is not followed; it is ignored", file=sys.stderr
        )
        return
    ours, theirs = target.plan(), source.plan()
    if not theirs or (not ours and target.records().keys() - {cell["key"] for cell in theirs}):
        return  # without a plan, tables show all records
    known = {identity(cell["spec"]) for cell in ours}
    if new := [cell for cell in theirs if identity(cell["spec"]) not in known]:
        target.save_plan([*ours, *new])
