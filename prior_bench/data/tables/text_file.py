"""Open a text file that somebody else made: say what is in its place, unpack it, find its encoding."""

from __future__ import annotations

import codecs
import gzip
import os
import zipfile
import zlib
from pathlib import Path
from typing import IO

from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB, MOST_NAMES, UNPACKED_RATIO, most_unpacked, opened_zip
from prior_bench.io.what_is import stand_in, what_is

AGAIN = "download it again"
LARGEST = 4 * 2**30
"""Largest size of a text file in bytes, after unpacking."""
LARGEST_LIST = 64 * MIB
"""Largest size of a list in bytes; each line takes at least fifty bytes of memory."""
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks, which state an encoding beyond doubt."""
DAMAGED = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, RuntimeError, NotImplementedError)
"""What unpacking raises: RuntimeError for a password, NotImplementedError for a rare compression."""
SAVE_UTF8 = "save it as UTF-8 (in Excel: 'CSV UTF-8')"


def require_file(path: Path) -> None:
    """Raise BenchError if the file is missing, a dead link, or something that stands in its place.

    Web pages, and pointers of Git LFS and git-annex, stand in the place of files that were not downloaded.
    """
    if path.is_symlink() and not path.exists():
        raise BenchError(
            f"is a dead link: it points to {os.readlink(path)}, which does not exist",
            where=path,
            fix="put the file there, or fix the link",
        )
    if not path.is_file():
        raise BenchError("no such file", where=path, fix="put it there")
    try:
        with path.open("rb") as stream:
            found = stand_in(stream.read(512))
    except OSError as error:
        raise _unreadable(path, error) from error
    if found:
        raise BenchError(found.what, where=path, fix=found.fix)


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text file as str; ``.gz`` and ``.zip`` files are unpacked, line ends are kept.

    Without ``encoding``, a byte order mark decides, and otherwise the file must be UTF-8: bytes of other
    encodings fit several of them, and a guess would put wrong letters into reports.

    Args:
        path: the file.
        encoding: name of its encoding, as Python knows it.

    Raises:
        BenchError: the file is missing, empty, damaged, no text, or in another encoding.
    """
    require_file(path)
    data = _content(path)
    if not data.strip():
        raise BenchError("file is empty", where=path, fix=AGAIN)
    text, used = _decoded(data, path, encoding)
    if "\0" in text:
        raise _holds_nul(text.encode(), path)
    if used != "utf-8-sig":
        text = text.removeprefix("\ufeff")
    if not text.strip():
        raise BenchError("file is empty", where=path, fix=AGAIN)
    return text


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file. Bytes that are not UTF-8 are replaced; the caller rejects such lines.

    Raises:
        BenchError: the file is missing, empty, too large, or something else (see :func:`require_file`).
    """
    require_file(path)
    if (size := path.stat().st_size) > LARGEST_LIST:
        raise BenchError(
            f"has {size // MIB} MiB; at most {LARGEST_LIST // MIB} are read", where=path, fix=AGAIN
        )
    lines = path.read_text("utf-8-sig", "replace").splitlines()
    if not any(line.strip() for line in lines):
        raise BenchError("file is empty", where=path, fix=AGAIN)
    return lines


def _content(path: Path) -> bytes:
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as packed:
                return _unpacked(packed, path)
        if path.suffix.lower() == ".zip":
            with opened_zip(path, MOST_NAMES) as archive:
                names = [n for n in archive.namelist() if not n.endswith("/") and "__MACOSX" not in n]
                if len(names) != 1:
                    what = f"holds {len(names)} files; expected is one table"
                    raise BenchError(what, where=path, fix="unpack it, and give the table inside")
                with archive.open(names[0]) as packed:
                    return _unpacked(packed, path)
        kind = what_is(path)
        if kind:
            what = f"not a CSV file as expected: it {kind.what}"
            raise BenchError(what, where=path, fix=kind.fix)
        with path.open("rb") as stream:
            return _limited(stream.read(LARGEST + 1), path)
    except DAMAGED as error:
        raise BenchError(f"archive is truncated or damaged ({error})", where=path, fix=AGAIN) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _unpacked(packed: IO[bytes] | gzip.GzipFile, path: Path) -> bytes:
    most = most_unpacked(path.stat().st_size)
    data = packed.read(min(most, LARGEST) + 1)
    if len(data) > most:
        raise BenchError(
            f"unpacks to more than {UNPACKED_RATIO} times its size",
            where=path,
            fix="look into it; if it is yours, unpack it",
        )
    return _limited(data, path)


def _limited(data: bytes, path: Path) -> bytes:
    if len(data) > LARGEST:
        what = f"is larger than {LARGEST / 2**30:.0f} GiB (unpacked)"
        raise BenchError(what, where=path, fix="an annotation file is smaller; give the right file")
    return data


def _unreadable(path: Path, error: OSError) -> BenchError:
    what = f"cannot be read ({error.strerror or error})"
    return BenchError(what, where=path, fix="check its permissions and the disk")


def _decoded(data: bytes, path: Path, encoding: str | None) -> tuple[str, str]:
    """Return the text and the encoding that was used."""
    if encoding is not None:
        return _declared(data, path, encoding), encoding
    used = next((name for mark, name in MARKS if data.startswith(mark)), "utf-8")
    if used == "utf-8" and b"\0" in data:
        raise _holds_nul(data, path)
    try:
        return data.decode(used), used
    except UnicodeDecodeError as error:
        if used != "utf-8":
            what = f"is truncated or damaged: it begins as {used.upper()}, but is not ({error.reason})"
            raise BenchError(what, where=path, fix=AGAIN) from error
        byte, line = data[error.start], data.count(b"\n", 0, error.start) + 1
        raise BenchError(
            f"not a CSV file as expected: byte {byte:#04x} in line {line} is not UTF-8; "
            "the file may be in Windows-1252, ISO-8859-1 or another encoding",
            where=path,
            fix=f"{SAVE_UTF8}, or, for a file of your own, name its encoding: --set encoding=cp1252",
        ) from error


def _holds_nul(data: bytes, path: Path) -> BenchError:
    line = data.count(b"\n", 0, data.index(b"\0")) + 1
    many = data.count(b"\0") > len(data) // 4
    guess = "; it may be UTF-16 without its byte order mark" if many else ""
    what = f"not a CSV file as expected: line {line} holds a NUL character{guess}"
    return BenchError(what, where=path, fix=f"{AGAIN}, or {SAVE_UTF8}")


def _declared(data: bytes, path: Path, encoding: str) -> str:
    try:
        return data.decode(codecs.lookup(encoding).name)
    except (LookupError, UnicodeError, AttributeError) as error:
        unknown = isinstance(error, LookupError)
        what = f"unknown encoding '{encoding}'" if unknown else f"is not in the encoding {encoding} ({error})"
        raise BenchError(what, where=path, fix="e.g. cp1252, latin-1, utf-16, gb18030, shift_jis") from error
