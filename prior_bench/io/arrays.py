"""NumPy archives: their bytes depend on the arrays alone, and they are read as data of bounded size."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from prior_bench.errors import BenchError
from prior_bench.io.bounded import MIB, MOST_NAMES, UNREADABLE, VARIABLE, most_arrays, opened_zip

if TYPE_CHECKING:
    import numpy as np

BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The date of all members: NumPy and zipfile refuse today's where the clock is before 1980 or after 2107."""
KINDS = "biufUS"
"""Kinds of arrays that are stored: booleans, numbers, text."""
MOST_HEADER = 10_000
"""Bytes of the header of an array, as NumPy has it."""


def write_arrays(file: Path | IO[bytes], arrays: Mapping[str, np.ndarray], *, compress: bool = True) -> None:
    """Write arrays as an ``.npz`` file; no array may need pickle.

    Args:
        file: path, or open file.
        arrays: by name.
        compress: whether to compress them.
    """
    import numpy as np

    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", BEGINNING)
            member.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read an archive of arrays (``.npz``) that holds numbers, booleans and text.

    The sizes that the archive and the headers of its arrays state are checked before memory is taken.

    Raises:
        BenchError: it is missing, no regular file, damaged, too large, or holds other objects.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise BenchError("is no regular file", where=path)
        with opened_zip(path, MOST_NAMES) as archive:
            _check_size(archive, path)
            found: dict[str, np.ndarray] = {}
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if name in found:
                    raise ValueError(f"it holds {name} twice")
                found[name] = _array(archive, member)
            return found
    except UNREADABLE as error:
        raise BenchError(f"cannot be read: {error or type(error).__name__}", where=path) from error


def _check_size(archive: zipfile.ZipFile, path: Path) -> None:
    total, most = sum(member.file_size for member in archive.infolist()), most_arrays()
    if total > most:
        raise BenchError(
            f"unpacks to {total / MIB:.0f} MiB; at most {most // MIB} MiB are read",
            where=path,
            fix=f"if it is yours: {VARIABLE}={-(-total // MIB)}",
        )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    import numpy as np
    from numpy.lib import format as npy

    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{member.filename} has an unknown version {version}")
        size = file.read(2 if version == (1, 0) else 4)
        stated = int.from_bytes(size, "little")
        if stated > MOST_HEADER:
            raise ValueError(
                f"{member.filename} has a header of {stated} bytes; at most {MOST_HEADER} are read"
            )
        shape, by_columns, dtype = _header(version, size + file.read(stated))
        if dtype.kind not in KINDS or dtype.hasobject:
            raise ValueError(f"{member.filename} holds objects of type {dtype}")
        count = 1
        for side in shape:  # whole numbers of Python do not overflow
            if side < 0:
                raise ValueError(f"{member.filename} has the shape {shape}")
            count *= side
        if 4 * count > most_arrays():
            raise ValueError(f"{member.filename} has the shape {shape}, which is too much")
        left = member.file_size - file.tell()
        if count * dtype.itemsize != left:
            raise ValueError(f"{member.filename} states {count * dtype.itemsize} bytes and has {left}")
        content, there = memoryview(bytearray(left)), 0
        while block := file.read(MIB):  # reading to the end also checks the CRC
            content[there : there + len(block)] = block
            there += len(block)
        if there < left:
            raise ValueError(f"{member.filename} is shorter than it states")
    if not left:
        return np.empty(shape, dtype)
    return np.frombuffer(content, dtype).reshape(shape, order="F" if by_columns else "C")


@lru_cache(maxsize=1024)
def _header(version: tuple[int, int], content: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the header of an array. Most arrays of a store have one of few, and reading one takes long."""
    from numpy.lib import format as npy

    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return read(io.BytesIO(content))
