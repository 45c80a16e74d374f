"""Read files that somebody else may have made as data of bounded size: JSON, and archives of arrays.

Each file is checked against limits before anything is unpacked, and what is wrong with it is said in one
message.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    pass

MIB = 2**20
MOST_JSON = 32 * MIB
"""Bytes of the largest ``record.json`` or ``plan.json`` that is read; a record has some 10 kB."""
MOST_VALUES = 2_000_000
"""Values of such a file; each takes up to a hundred bytes of memory, and time to be checked."""
MOST_ARRAYS = 256 * MIB
"""Bytes that the arrays of one run may have in memory, unless the environment says otherwise; a number may
become eight bytes in computations, so that there are a fourth as many numbers at most."""
VARIABLE = "PRIOR_BENCH_MAX_PREDICTIONS"
"""Environment variable that sets another limit for the arrays of a run, in MiB."""
UNPACKED_FREELY, UNPACKED_RATIO = 256 * MIB, 30
"""A compressed file unpacks to so many bytes, or to so many times its own size."""
MOST_NAMES = MIB
"""Bytes of the directory of an archive of arrays: some thousand names."""
DIRECTORY = 5
"""Place of the size of the directory in what zipfile finds at the end of an archive."""

UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    SyntaxError,
    RuntimeError,
    NotImplementedError,
    MemoryError,
    OverflowError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What Python raises while it reads a damaged archive of arrays."""


def most_unpacked(packed: int) -> int:
    """Return the bytes that a compressed file of ``packed`` bytes may have when it is unpacked.

    A text shrinks to a tenth, and a small file may be a table with one value for all rows.
    """
    return max(UNPACKED_FREELY, UNPACKED_RATIO * packed)


def is_own_file(path: Path) -> bool:
    """Whether a path is a regular file and no symbolic link, which could stand for any file here."""
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return False


def not_followed(path: str, flags: int) -> int:
    """Open a file, as an opener of Python, unless it is a symbolic link; a pipe is not waited for."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


def require_folders(root: Path, *names: str) -> None:
    """Raise BenchError if a folder is a symbolic link: what is written would go elsewhere."""
    for place in (root / name for name in names):
        if place.is_symlink():
            raise BenchError(
                "is a symbolic link, which is not followed", where=place, fix="put a folder in its place"
            )


def require_no_links(folder: Path) -> None:
    """Raise BenchError if a folder that is written to has a symbolic link.

    In folders below it, links within it are allowed: Weights & Biases makes such.
    """
    own = os.path.realpath(folder)
    for place, folders, files in os.walk(folder):
        for path in (Path(place, name) for name in sorted((*folders, *files))):
            if not path.is_symlink():
                continue
            if path.parent == folder or not Path(os.path.realpath(path)).is_relative_to(own):
                raise BenchError("is a symbolic link, which is not followed", where=path, fix="delete it")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        FileNotFoundError: there is none.
        BenchError: it is no regular file, too large, or no JSON.
    """
    try:
        return json.loads(json_text(path), parse_constant=_refuse)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(path) from error
    except RecursionError as error:
        raise BenchError("has too many lists inside each other", where=path) from error
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}", where=path) from error
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise BenchError(f"is no JSON: {error}", where=path) from error


def json_text(
    path: Path,
    most: int = MOST_JSON,
    values: int = MOST_VALUES,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> str:
    """Read the text of a JSON file, which takes little memory once it is parsed.

    Args:
        path: the file. What it is, is looked up once it is open, so that nothing else can take its place.
        most: bytes of it at most.
        values: commas and brackets at most.
        encoding, errors: as for ``open``.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is in another encoding.
        BenchError: it is no regular file, or too large.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BenchError("is no regular file", where=path)
        if status.st_size > most:
            raise BenchError(
                f"has {status.st_size / MIB:.0f} MiB; at most {most // MIB} are read", where=path
            )
        with open(handle, "rb", closefd=False) as file:
            text = file.read(most).decode(encoding, errors)
    finally:
        os.close(handle)
    if (found := sum(map(text.count, ",[{"))) > values:
        raise BenchError(f"has {found:,} commas and brackets; at most {values:,} are read", where=path)
    return text


def hash_of_file(path: Path, most: int) -> hashlib._Hash:
    """Return the SHA-256 of a file's content, to which more can be added; of nothing without the file.

    Raises:
        BenchError: it is no regular file, has more than ``most`` bytes, or cannot be read.
    """
    digest = hashlib.sha256()
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (FileNotFoundError, NotADirectoryError):
        return digest
    except OSError as error:
        raise BenchError(f"cannot be read: {error.strerror or error}", where=path) from error
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise BenchError("is no regular file", where=path)
        if status.st_size > most:
            what = f"has {status.st_size / MIB:.0f} MiB; at most {most // MIB} are read"
            raise BenchError(what, where=path, fix=f"if it is yours: {VARIABLE}={-(-status.st_size // MIB)}")
        while block := file.read(MIB):
            digest.update(block)
    return digest


@contextmanager
def opened_zip(path: Path, most: int) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive whose directory has at most ``most`` bytes, so that opening it takes little memory.

    Raises:
        BenchError: its directory is larger, or a member is not compressed as ours are.
        zipfile.BadZipFile, OSError: it is damaged, or no archive.
    """
    with open(path, "rb") as file:
        end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # what ZipFile itself goes by
        if end is not None and end[DIRECTORY] > most:
            what = f"lists names of {end[DIRECTORY] / MIB:.0f} MiB; at most {most / MIB:g} are read"
            raise BenchError(what, where=path)
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    # an LZMA member asks for up to 4 GiB before its first byte
                    raise BenchError(
                        f"{member.filename} is compressed by another method than deflate", where=path
                    )
            yield archive


def most_arrays() -> int:
    """Return the bytes that the arrays of one run may have."""
    stated = os.environ.get(VARIABLE, "")
    return int(stated) * MIB if stated.isdecimal() else MOST_ARRAYS


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no number; an undefined value is null")
