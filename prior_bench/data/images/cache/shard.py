"""A shard of the image cache: a safetensors file with a few hundred reduced images.

Each image is a uint8 tensor [height, width] under its name; the metadata holds an entry for each image.
Pixels are not compressed, so that reading an image only copies it from the memory-mapped file.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.data.images.decoded import MOST_PIXELS
from prior_bench.errors import BenchError
from prior_bench.io.atomic import CACHE_FIX, write_bytes

SUFFIX = ".safetensors"
NO_DICT = (AttributeError, RecursionError)
"""What reading entries raises, too, if they are no dicts, or lists in lists in lists."""
MEND = "run the same `prior-bench data cache` again: it rebuilds the damaged parts"


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a cached image: its source, sizes and checksum.

    Attributes:
        source: (size in bytes, modification time in ns) of the original file; empty if it did not exist.
        original: (height, width) of the decoded original; empty if it cannot be read.
        size: (height, width) of the cached image; empty if the original cannot be read.
        checksum: CRC-32 of the cached pixels.
        error: why the original cannot be read; empty if it can.
    """

    source: tuple[int, ...]
    original: tuple[int, ...] = ()
    size: tuple[int, ...] = ()
    checksum: int = 0
    error: str = ""


class Shard:
    """A shard on disk. Its header is read immediately, pixels on request.

    The attribute ``source`` is the hash of the source code that made the shard; empty if it has none.

    Raises:
        BenchError: the file is damaged.
    """

    def __init__(self, path: Path):
        from safetensors import SafetensorError, safe_open

        self.path = path
        try:
            if not path.is_file():  # a pipe would be waited for
                raise ValueError("it is no regular file")
            self._file = safe_open(path, framework="numpy")  # it also checks the length of the file
            metadata = self._file.metadata()
            told, self.source = json.loads(metadata["images"]), metadata.get("source", "")
            self.entries = {name: _entry(values) for name, values in told.items()}
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, *NO_DICT) as error:
            raise BenchError(f"damaged shard of the image cache ({error})", where=path, fix=MEND) from error
        stated = {name: entry.size for name, entry in self.entries.items() if not entry.error}
        if stated != {name: self._size(name) for name in self._file.keys()}:
            raise BenchError(
                "damaged shard of the image cache (its images do not match its entries)", where=path, fix=MEND
            )

    def _size(self, name: str) -> tuple[int, ...] | None:
        """The shape of a stored tensor, from the header; None if it holds other values than pixels."""
        stored = self._file.get_slice(name)
        return tuple(stored.get_shape()) if stored.get_dtype() == "U8" else None

    @property
    def first(self) -> str:
        """The name of the first image, by which shards are sorted."""
        return min(self.entries, default="")

    def read(self, name: str) -> np.ndarray:
        """Read the pixels of a readable image, uint8 [height, width].

        Raises:
            BenchError: the pixels are damaged.
        """
        from safetensors import SafetensorError

        try:
            pixels = self._file.get_tensor(name)
        except SafetensorError as error:
            raise BenchError(
                f"damaged shard of the image cache ({error})", where=self.path, fix=MEND
            ) from error
        if zlib.crc32(pixels) != self.entries[name].checksum:
            raise BenchError(f"damaged shard of the image cache ({name})", where=self.path, fix=MEND)
        return pixels

    def stream(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield the name and pixels of all readable images, in the order on disk."""
        for name in sorted(self._file.keys()):
            yield name, self.read(name)


def write_shard(path: Path, images: dict[str, tuple[np.ndarray | None, Entry]], source: str = "") -> None:
    """Write a shard; the file appears complete or not at all.

    Args:
        path: file of the shard.
        images: pixels (None if unreadable) and entry of each image, by name.
        source: hash of the source code that made the images.

    Raises:
        BenchError: the file cannot be written, e.g. because the disk is full.
    """
    from safetensors.numpy import save

    pixels = {name: values for name, (values, _) in images.items() if values is not None}
    told = json.dumps({name: asdict(entry) for name, (_, entry) in images.items()})
    content = save(pixels, metadata={"images": told, "source": source})
    write_bytes(path, content, f"{CACHE_FIX}; finished shards are kept", durable=True)


def _entry(values: dict) -> Entry:
    """Return an entry of the metadata.

    Raises:
        ValueError, TypeError, AttributeError: it is none.
    """
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    entry = Entry(**plain)
    numbers = (*entry.source, *entry.original, *entry.size, entry.checksum)
    if not all(type(n) is int for n in numbers) or not 0 <= entry.checksum < 1 << 32:
        raise ValueError("an entry has other numbers than whole ones")
    if not isinstance(entry.error, str):
        raise ValueError("an entry has an error that is no text")
    if not entry.error:
        for size in (entry.original, entry.size):
            if len(size) != 2 or min(size) < 1 or size[0] * size[1] > MOST_PIXELS:
                raise ValueError(f"an entry has the size {size}")
    return entry
