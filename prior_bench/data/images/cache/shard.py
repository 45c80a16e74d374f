"""One file of the image cache: some hundred reduced images as a safetensors file.

Each image is a uint8 tensor [height, width] under its name; the metadata tells of every image what it was
made from. Pixels are not compressed, so that an image is read by copying it out of the mapped file.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.io.atomic import CACHE_FIX, write_bytes

SUFFIX = ".safetensors"
MEND = "run the same `prior-bench data cache` again: it rebuilds the damaged parts"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a cached image.

    Attributes:
        source: (bytes, time of change in nanoseconds) of the file it was made from; empty without one.
        original: (height, width) as decoded; empty where it cannot be read.
        size: (height, width) as cached; empty where it cannot be read.
        checksum: CRC-32 of the cached pixels.
        error: why the file cannot be read; empty where it can.
    """

    source: tuple[int, ...]
    original: tuple[int, ...] = ()
    size: tuple[int, ...] = ()
    checksum: int = 0
    error: str = ""


class Shard:
    """A shard on disk. Its header is read at once, pixels when they are asked for.

    ``source`` is a hash of the source code that made it; empty where it does not say.

    Raises:
        BenchError: not a whole shard.
    """

    def __init__(self, path: Path):
        from safetensors import SafetensorError, safe_open

        self.path = path
        try:
            self._file = safe_open(path, framework="numpy")  # also checks that the file is as long as it says
            metadata = self._file.metadata()
            told, self.source = json.loads(metadata["images"]), metadata.get("source", "")
            self.entries = {name: _entry(values) for name, values in told.items()}
        except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
            raise BenchError(f"damaged shard of the image cache ({error})", where=path, fix=MEND) from error
        if {name for name, entry in self.entries.items() if not entry.error} != set(self._file.keys()):
            raise BenchError(
                "damaged shard of the image cache (other images than noted)", where=path, fix=MEND
            )

    @property
    def first(self) -> str:
        """Name of the first image, by which shards are ordered."""
        return min(self.entries, default="")

    def read(self, name: str) -> np.ndarray:
        """Pixels uint8 [height, width] of a readable image.

        Raises:
            BenchError: they are not those that were written.
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
        """All readable images in the order in which they lie on disk."""
        for name in sorted(self._file.keys()):
            yield name, self.read(name)


def write_shard(path: Path, images: dict[str, tuple[np.ndarray | None, Entry]], source: str = "") -> None:
    """Write images with their entries (pixels None where unreadable); the file appears whole or not at all.

    Args:
        path: of the shard.
        images: pixels and entry of each, by name.
        source: hash of the source code that made them.

    Raises:
        BenchError: the disk is full, or refuses.
    """
    from safetensors.numpy import save

    pixels = {name: values for name, (values, _) in images.items() if values is not None}
    told = json.dumps({name: asdict(entry) for name, (_, entry) in images.items()})
    content = save(pixels, metadata={"images": told, "source": source})
    write_bytes(path, content, f"{CACHE_FIX}; what is finished is kept", durable=True)


def _entry(values: dict) -> Entry:
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Entry(**plain)
