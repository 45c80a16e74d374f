"""Write files and folders that appear complete or not at all.

Everything is written to a temporary sibling, which is renamed when it is complete. A process that is killed
earlier leaves the old content and a temporary sibling, which is removed when another process first writes to
the folder (:mod:`prior_bench.io.leftovers`). Two writers never share a sibling; the one that finishes last
wins.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.io.leftovers import REPLACED, UNFINISHED, clean_once, sibling
from prior_bench.io.room import cannot_write

CACHE_FIX = "make room, or set PRIOR_BENCH_CACHE"
"""Remedy in messages about files under the cache root."""


@contextmanager
def whole_file(
    path: str | Path,
    fix: str = "",
    *,
    durable: bool = False,
    errors: tuple[type[Exception], ...] = (),
    needed: int | None = None,
) -> Iterator[Path]:
    """Yield a temporary sibling to write to; it becomes ``path`` if the block ends without an error.

    Missing folders are made. The file gets the default permissions of the umask for any writer.

    Args:
        path: file to write or replace.
        fix: remedy for the message if the file cannot be written.
        durable: whether to wait until the content is on disk before renaming.
        errors: exceptions besides OSError that the writer raises if it cannot write.
        needed: bytes of the file, for the message of a full disk.

    Raises:
        StorageError: the file cannot be written; its old content is kept.
    """
    path = Path(path)
    fresh = sibling(path, UNFINISHED)
    failures: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        if path.is_dir():
            raise BenchError("is a folder", where=path, fix="give a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        clean_once(path.parent)
        with open(fresh, "xb") as empty:
            mode = os.fstat(empty.fileno()).st_mode
        yield fresh
        os.chmod(fresh, mode)  # safetensors and tempfile write private files
        if durable:
            _flush(fresh)
        os.replace(fresh, path)
    except failures as error:
        raise cannot_write(path, error, fix, _at_least(fresh, needed)) from error
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def write_bytes(path: str | Path, content: bytes, fix: str = "", *, durable: bool = False) -> Path:
    """Write ``content`` to ``path`` and return the path; see :func:`whole_file`."""
    with whole_file(path, fix, durable=durable, needed=len(content)) as fresh:
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
    needed: int | None = None,
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
        needed: bytes of its files at most, for the message of a full disk.

    Raises:
        StorageError: the folder cannot be written.
    """
    path = Path(path)
    fresh, old = sibling(path, UNFINISHED), sibling(path, REPLACED)
    failures: tuple[type[Exception], ...] = (OSError, *errors)
    clean_once(path.parent)
    try:
        fresh.mkdir(parents=True)
        yield fresh
        if durable:
            for file in filter(Path.is_file, fresh.rglob("*")):
                _flush(file)
        _replace_folder(fresh, path, old, first_wins)
    except failures as error:
        raise cannot_write(path, error, fix, _at_least(fresh, needed)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if path.is_dir():
            shutil.rmtree(old, ignore_errors=True)


def write_new_texts(texts: Mapping[Path, str]) -> None:
    """Write several new files, all or none. Their folders must exist.

    Raises:
        BenchError: a file cannot be written or already exists.
    """
    unfinished = {file: sibling(file, UNFINISHED) for file in texts}
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
        raise cannot_write(Path(error.filename or file), error) from error
    finally:
        for file in unfinished.values():
            with suppress(OSError):
                file.unlink(missing_ok=True)


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


def _at_least(fresh: Path, needed: int | None) -> int | None:
    """Return the bytes that a file or folder needs: as stated, or those that were written."""
    if needed is not None:
        return needed
    with suppress(OSError):
        files = [fresh] if fresh.is_file() else [file for file in fresh.rglob("*") if file.is_file()]
        return sum(file.stat().st_size for file in files) + 1
    return None
