"""Write files and folders that appear complete or not at all.

Everything is written to a temporary sibling, which is renamed when it is complete. A process that is killed
earlier leaves the old content and a sibling ``.<name>.<host>-<pid>-<random>.part``, which
:func:`remove_leftovers` removes. Two writers never share a sibling; the one that finishes last wins.
"""

from __future__ import annotations

import glob
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError

UNFINISHED = ".part"
"""Suffix of a file or folder that is being written."""
REPLACED = ".old"
"""Suffix of a folder that is being replaced."""
CACHE_FIX = "make room, or set PRIOR_BENCH_CACHE"
"""Remedy in messages about files under the cache root."""


@contextmanager
def whole_file(
    path: str | Path, fix: str = "", *, durable: bool = False, errors: tuple[type[Exception], ...] = ()
) -> Iterator[Path]:
    """Yield a temporary sibling to write to; it becomes ``path`` if the block ends without an error.

    Missing folders are made. The file gets the default permissions of the umask for any writer.

    Args:
        path: file to write or replace.
        fix: remedy for the message if the file cannot be written.
        durable: whether to wait until the content is on disk before renaming.
        errors: exceptions besides OSError that the writer raises if it cannot write.

    Raises:
        BenchError: the file cannot be written; its old content is kept.
    """
    path = Path(path)
    if path.is_dir():
        raise BenchError("is a folder", where=path, fix="give a file")
    fresh = _sibling(path, UNFINISHED)
    failures: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(fresh, "xb") as empty:
            mode = os.fstat(empty.fileno()).st_mode
        yield fresh
        os.chmod(fresh, mode)  # safetensors and tempfile write private files
        if durable:
            _flush(fresh)
        os.replace(fresh, path)
    except failures as error:
        raise _cannot_write(path, error, fix) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes, fix: str = "", *, durable: bool = False) -> Path:
    """Write ``content`` to ``path`` and return the path; see :func:`whole_file`."""
    with whole_file(path, fix, durable=durable) as fresh:
        fresh.write_bytes(content)
    return Path(path)


def write_text(path: str | Path, text: str, fix: str = "") -> Path:
    """Write ``text`` to ``path`` in UTF-8 and return the path; see :func:`whole_file`."""
    return write_bytes(path, text.encode("utf-8"), fix)


def write_json(path: str | Path, value: Any, fix: str = "", *, durable: bool = False) -> Path:
    """Write a value as JSON to ``path`` and return the path; see :func:`whole_file`."""
    return write_bytes(path, json.dumps(value, indent=1).encode("utf-8"), fix, durable=durable)


@contextmanager
def whole_folder(
    path: str | Path,
    fix: str = "",
    *,
    durable: bool = False,
    first_wins: bool = False,
    errors: tuple[type[Exception], ...] = (),
) -> Iterator[Path]:
    """Yield a temporary folder next to ``path``; it becomes ``path`` if the block ends without an error.

    An existing folder is first renamed and finally removed. If a process is killed in between, the folder
    keeps its temporary name, and :func:`remove_leftovers` restores it.

    Args:
        path: folder to write or replace.
        fix: remedy for the message if the folder cannot be written.
        durable: whether to wait until the content is on disk before renaming.
        first_wins: whether to keep an existing folder that is not empty, and drop the new one.
        errors: exceptions besides OSError that the writer raises if it cannot write.

    Raises:
        BenchError: the folder cannot be written.
    """
    path = Path(path)
    fresh, old = _sibling(path, UNFINISHED), _sibling(path, REPLACED)
    failures: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if durable:
            for file in filter(Path.is_file, fresh.rglob("*")):
                _flush(file)
        _replace_folder(fresh, path, old, first_wins)
    except failures as error:
        raise _cannot_write(path, error, fix) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if path.is_dir():
            shutil.rmtree(old, ignore_errors=True)


def write_new_texts(texts: Mapping[Path, str]) -> None:
    """Write several new files, all or none. Their folders must exist.

    Raises:
        BenchError: a file cannot be written or already exists.
    """
    unfinished = {file: _sibling(file, UNFINISHED) for file in texts}
    done: list[Path] = []
    try:
        for file, text in texts.items():
            unfinished[file].write_text(text, "utf-8")
        for file in texts:
            os.link(unfinished[file], file)  # unlike a rename, it never replaces a file
            done.append(file)
    except OSError as error:
        for file in done:
            file.unlink()
        raise BenchError(f"cannot be written: {error}", where=error.filename) from error
    finally:
        for file in unfinished.values():
            with suppress(OSError):
                file.unlink(missing_ok=True)


def remove_leftovers(folder: Path, name: str = "", older_than: float = 0.0) -> None:
    """Remove temporary files of killed processes from ``folder``; no other process may be writing to it.

    A folder that was to be replaced is restored if its replacement does not exist.

    Args:
        folder: folder to clean; its subfolders are not searched.
        name: name of the file or folder that was being written; empty for all.
        older_than: age in seconds; younger files are kept.
    """
    start = f".{glob.escape(name) if name else '*'}.*"
    for leftover in [*folder.glob(start + UNFINISHED), *folder.glob(start + REPLACED)]:
        with suppress(OSError):  # its owner may have renamed it just now
            if older_than and time.time() - leftover.stat().st_mtime < older_than:
                continue
            if leftover.suffix == REPLACED and not (target := _target(leftover)).exists():
                os.rename(leftover, target)
            elif leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink()


def _sibling(path: Path, suffix: str) -> Path:
    """Return a hidden name that no other writer uses, on this host or another host that shares the disk."""
    host = socket.gethostname().partition(".")[0][:32]
    return path.parent / f".{path.absolute().name}.{host}-{os.getpid()}-{secrets.token_hex(4)}{suffix}"


def _target(leftover: Path) -> Path:
    """Return the path for which :func:`_sibling` made a name."""
    return leftover.with_name(leftover.stem[1:].rpartition(".")[0])


def _replace_folder(fresh: Path, path: Path, old: Path, first_wins: bool) -> None:
    try:
        os.replace(fresh, path)  # it also replaces an empty folder
    except OSError:
        if not path.is_dir():
            raise
        if first_wins:
            return
        os.replace(path, old)
        try:
            os.replace(fresh, path)
        except OSError:
            os.replace(old, path)
            raise


def _flush(file: Path) -> None:
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _cannot_write(path: Path, error: Exception, fix: str) -> BenchError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else error
    return BenchError(f"cannot be written: {reason}", where=path, fix=fix)
