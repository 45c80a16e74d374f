"""Images that lie as one array in an ``.npz`` file, unpacked to PNG files once.

Arrays are read as a stream, image by image, so that memory holds one image and not the 4 GB of the largest
file; what is already there is not written again.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.runtime import progress


def unpack_images(archive: Path, array: str, folder: Path) -> int:
    """Writes ``folder / 000000.png`` and so on; returns the number of images.

    Args:
        archive: the ``.npz`` file.
        array: name of a uint8 array in it, [n, height, width] or [n, height, width, 3].
        folder: made where it is missing; a file ``complete`` marks it as finished.

    Raises:
        BenchError: damaged archive, no such array, or an array of another kind.
    """
    from PIL import Image

    marker = folder / "complete"
    if marker.is_file():
        return int(marker.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as members, members.open(f"{array}.npy") as stream:
            shape = _shape(stream, archive, array)
            size = int(np.prod(shape[1:]))
            for index in progress(range(shape[0]), f"unpacking {array}"):
                pixels = np.frombuffer(stream.read(size), np.uint8).reshape(shape[1:])
                target = folder / f"{index:06d}.png"
                if not target.exists():
                    partial = target.with_suffix(".part")
                    Image.fromarray(pixels).save(partial, format="PNG")
                    os.replace(partial, target)
    except KeyError:
        raise BenchError(f"holds no array '{array}'", where=archive, fix="fetch the file again") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise BenchError(
            f"archive is truncated or damaged ({error})", where=archive, fix="fetch it again"
        ) from error
    partial = marker.with_suffix(".part")
    partial.write_text(str(shape[0]))
    os.replace(partial, marker)
    return shape[0]


def _shape(stream, archive: Path, array: str) -> tuple[int, ...]:
    """Shape from the array's header; the stream then stands at the first pixel."""
    version = np.lib.format.read_magic(stream)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(stream)
    if dtype != np.uint8 or fortran or len(shape) not in (3, 4):
        raise BenchError(f"array '{array}' is {dtype} {shape}, expected are uint8 images", where=archive)
    return shape
