"""Read downloaded ``.npz`` files: small arrays, and arrays of images, which are unpacked to PNG files.

Images are read as a stream, so that memory holds one image and not the 4 GB of the largest file. Existing PNG
files are not written again.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.io.atomic import CACHE_FIX, write_bytes, write_text
from prior_bench.io.bounded import UNPACKED_RATIO, most_unpacked
from prior_bench.runtime import progress

MOST_IMAGES = 2_000_000
"""Images of an array; each becomes a file. The largest set of MedMNIST has a tenth of it."""


def read_array(archive: Path, name: str) -> np.ndarray:
    """Read a small array of the file.

    Raises:
        BenchError: the archive is damaged or does not contain the array.
    """
    with _reading(archive, name), np.load(archive) as arrays:
        _check_unpacked(archive, name)
        return arrays[name]


def unpack_images(archive: Path, array: str, folder: Path) -> int:
    """Write the images as ``folder / 000000.png`` and so on; return their number.

    Args:
        archive: the ``.npz`` file.
        array: name of a uint8 array in it, [n, height, width] or [n, height, width, 3].
        folder: target folder, made if it does not exist. A file ``complete`` marks it as finished.

    Raises:
        BenchError: the archive is damaged, has no such array or one of another type, or the folder cannot be
            written.
    """
    marker = folder / "complete"
    if (unpacked := _unpacked(marker)) is not None:
        return unpacked
    count = 0
    for pixels in stream_images(archive, array):
        target = folder / f"{count:06d}.png"
        if not target.exists():
            write_bytes(target, _png(pixels), CACHE_FIX)
        count += 1
    write_text(marker, str(count), CACHE_FIX)
    return count


def _unpacked(marker: Path) -> int | None:
    """Return the number of images that a marker states; None without one, or if it states something else."""
    if not marker.is_file():
        return None
    with open(marker, "rb") as file:
        stated = file.read(len(str(MOST_IMAGES)))
    return int(stated) if stated.isdigit() and int(stated) <= MOST_IMAGES else None


def stream_images(archive: Path, array: str) -> Iterator[np.ndarray]:
    """Yield the images of an array one by one, uint8 [height, width] or [height, width, 3].

    Raises:
        BenchError: the archive is damaged, has no such array or one of another type.
    """
    with (
        _reading(archive, array),
        zipfile.ZipFile(archive) as members,
        members.open(f"{array}.npy") as stream,
    ):
        _check_unpacked(archive, array)
        shape = _shape(stream, archive, array)
        size = int(np.prod(shape[1:]))
        for _ in progress(range(shape[0]), f"unpacking {array}"):
            yield np.frombuffer(stream.read(size), np.uint8).reshape(shape[1:])


def _check_unpacked(archive: Path, name: str) -> None:
    """Raise ValueError if an array unpacks to far more than the file has, as :func:`most_unpacked` allows."""
    with zipfile.ZipFile(archive) as members:
        unpacked = members.getinfo(f"{name}.npy").file_size
    if unpacked > most_unpacked(archive.stat().st_size):
        raise ValueError(f"'{name}' unpacks to {unpacked:,} bytes, more than {UNPACKED_RATIO} times the file")


@contextmanager
def _reading(archive: Path, array: str) -> Iterator[None]:
    try:
        yield
    except KeyError:
        raise BenchError(f"contains no array '{array}'", where=archive, fix="download it again") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise BenchError(
            f"archive is truncated or damaged ({error})", where=archive, fix="download it again"
        ) from error


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG")
    return content.getvalue()


def _shape(stream: IO[bytes], archive: Path, array: str) -> tuple[int, ...]:
    """Read the shape from the array's header; afterwards the stream is at the first pixel."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(stream)
    if dtype != np.uint8 or fortran or len(shape) not in (3, 4) or shape[0] > MOST_IMAGES:
        raise BenchError(
            f"array '{array}' is {dtype} {shape} instead of uint8 images",
            where=archive,
            fix="download the file again",
        )
    return shape
