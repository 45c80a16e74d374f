"""Say what a file is, from its first bytes, where another kind of file was expected."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

START = 512
"""Number of bytes at the beginning of a file that are looked at."""
DICOM_MARK = 128
"""Position of the letters DICM in a DICOM file."""


@dataclass(frozen=True)
class FileKind:
    """What a file turned out to be.

    Attributes:
        what: completes the sentence "the file ...", e.g. "is a web page".
        fix: how to get the file that was meant.
        stand_in: whether it stands in the place of a file that was never downloaded.
    """

    what: str
    fix: str
    stand_in: bool = False


WEB_PAGE = FileKind(
    "is a web page instead of the expected file", "log in at the source, then download it again", True
)
LFS_POINTER = FileKind(
    "is a pointer of Git LFS and not the file itself",
    "git lfs pull, or download the file from the web page of the repository",
    True,
)
ANNEX_POINTER = FileKind("is a pointer of git-annex and not the file itself", "git annex get FILE", True)
SPREADSHEET = FileKind("is a spreadsheet of Excel", "save it as 'CSV UTF-8'")
PICKLE = FileKind(
    "is a pickled Python object, which could run code when it is opened",
    "save its content in a plain format: a table as CSV, weights as a state dict",
)
IMAGE_FIX = "give the table that names the images"
UNPACK = "unpack it, and give the file inside"

WEB_STARTS = (b"<!doctype html", b"<html", b"<head", b"<!-- saved from url")
BINARY: dict[bytes, FileKind] = {
    b"\x89PNG": FileKind("is a PNG image", IMAGE_FIX),
    b"\xff\xd8\xff": FileKind("is a JPEG image", IMAGE_FIX),
    b"GIF8": FileKind("is a GIF image", IMAGE_FIX),
    b"II*\0": FileKind("is a TIFF image", IMAGE_FIX),
    b"MM\0*": FileKind("is a TIFF image", IMAGE_FIX),
    b"%PDF": FileKind("is a PDF document", "copy its table to a CSV file"),
    b"\xd0\xcf\x11\xe0": SPREADSHEET,
    b"\x89HDF": FileKind("is an HDF5 file", "write its table as CSV"),
    b"PAR1": FileKind("is a Parquet file", "write its table as CSV"),
    b"ARROW1": FileKind("is an Arrow file", "write its table as CSV"),
    b"SQLite format 3": FileKind("is a SQLite database", "write its table as CSV"),
    b"\x93NUMPY": FileKind("is an array of NumPy", "write its table as CSV"),
    b"\x1f\x8b": FileKind("is a gzip archive", "name it with the suffix .gz, or unpack it"),
    b"BZh": FileKind("is a bzip2 archive", UNPACK),
    b"\xfd7zXZ": FileKind("is an xz archive", UNPACK),
    b"7z\xbc\xaf": FileKind("is a 7z archive", UNPACK),
    b"Rar!": FileKind("is a RAR archive", UNPACK),
    b"\0\x05\x16\x07": FileKind(
        "is a companion file of macOS (its name begins with '._')", "give the file without '._'"
    ),
}
"""Kinds of binary files by their first bytes."""


def what_is(path: Path) -> FileKind | None:
    """Return what a file is if its first bytes tell; None for text and for unknown content.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as stream:
        start = stream.read(START)
    return stand_in(start) or _binary(start, path)


def no_image(path: Path) -> FileKind | None:
    """Return what a file is if its first bytes tell that it is no image, and how to get the image."""
    try:
        kind = what_is(path)
    except OSError:
        return None
    if kind is None or kind.fix == IMAGE_FIX:
        return None
    return kind if kind.stand_in else replace(kind, fix="put the image itself there")


def stand_in(start: bytes) -> FileKind | None:
    """Return what is in the place of a file that was never downloaded; None for anything else.

    Args:
        start: first bytes of the file.
    """
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(WEB_STARTS) or (text.startswith(b"<?xml") and b"<html" in text):
        return WEB_PAGE
    if text.startswith(b"version https://git-lfs"):
        return LFS_POINTER
    first = text.partition(b"\n")[0]
    if b"annex/objects/" in first and first.startswith((b"/annex/", b".git/", b"../")):
        return ANNEX_POINTER
    return None


def _binary(start: bytes, path: Path) -> FileKind | None:
    for mark, kind in BINARY.items():
        if start.startswith(mark):
            return kind
    if start[DICOM_MARK : DICOM_MARK + 4] == b"DICM":
        return FileKind("is a DICOM image", IMAGE_FIX)
    if start.startswith(b"PK\x03\x04"):
        return _archive(path)
    if len(start) > 1 and start[0] == 0x80 and start[1] in range(2, 6):
        return PICKLE
    return None


def _archive(path: Path) -> FileKind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return FileKind("is a zip archive that is truncated or damaged", "download it again")
    if any(name.startswith("xl/") for name in names):
        return SPREADSHEET
    if any(name.endswith("/data.pkl") for name in names):
        return FileKind("is a file of PyTorch", "give a table; weights belong to --backbone")
    if names and all(name.endswith(".npy") for name in names):
        return FileKind("is an archive of NumPy arrays", "a file of MedMNIST has the suffix .npz")
    return FileKind("is a zip archive", "name it with the suffix .zip, or unpack it")
