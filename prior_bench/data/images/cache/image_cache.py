"""The image cache of one folder of original images at one size: a folder of shards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from prior_bench import paths
from prior_bench.data.images.cache.shard import SUFFIX, Entry, Shard
from prior_bench.errors import BenchError
from prior_bench.store.source_hash import code_version
from prior_bench.versions import MACHINERY

FOLDER_SUFFIX = ".imagecache"
"""Suffix of a cache's folder; the part of a path after such a folder is the name of an image in it."""


DECODING = (
    "prior_bench.data.images.decode",
    "prior_bench.data.images.decoded",
    "prior_bench.data.images.formats",
    "prior_bench.data.images.grey",
)
"""Modules that make grey pixels of a file."""


class ImageCache:
    """A cache and its shards.

    Args:
        folder: folder of the cache.
        shards: in any order; they are sorted by their first image.
    """

    def __init__(self, folder: Path, shards: list[Shard]):
        self.folder, self.shards = folder, sorted(shards, key=lambda shard: shard.first)
        self._shard_of = {name: shard for shard in self.shards for name in shard.entries}

    @classmethod
    def load(cls, folder: Path) -> ImageCache:
        """Open a cache on disk; only headers are read.

        Raises:
            BenchError: the cache does not exist, or one of its shards is damaged.
        """
        if not folder.is_dir():
            raise BenchError("no such image cache", where=folder, fix="prior-bench data cache REF --size N")
        return cls(folder, [Shard(path) for path in sorted(folder.glob(f"*{SUFFIX}"))])

    def __contains__(self, name: str) -> bool:
        return name in self._shard_of

    def entry(self, name: str) -> Entry:
        """Return the entry of an image.

        Raises:
            BenchError: the image is not in the cache.
        """
        return self.shard_of(name).entries[name]

    def shard_of(self, name: str) -> Shard:
        """Return the shard that contains an image.

        Raises:
            BenchError: the image is not in the cache.
        """
        if name not in self._shard_of:
            raise BenchError(
                f"contains no image '{name}'", where=self.folder, fix="run prior-bench data cache again"
            )
        return self._shard_of[name]

    def read(self, name: str) -> np.ndarray:
        """Read the pixels of an image, uint8 [height, width], from the memory-mapped shard.

        Raises:
            BenchError: the image is not in the cache, its original is unreadable, or the shard is damaged.
        """
        if error := self.entry(name).error:
            fix = "download the file again, then run prior-bench data cache again"
            raise BenchError(error, fix=fix)  # begins with the file
        return self._shard_of[name].read(name)

    def stream(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield all readable images in the order on disk, which is the order of their names."""
        for shard in self.shards:
            yield from shard.stream()


def place_of(root: Path, size: int) -> Path:
    """Return the folder of the cache for originals under ``root``; its name has the size and the recipe."""
    return paths.led_here(_images() / f"{_stem(root)}-{size}-{recipe()}{FOLDER_SUFFIX}")


def outdated(root: Path, size: int) -> list[Path]:
    """Return unused caches of the same originals and size that were made by another recipe."""
    return sorted(set(_images().glob(f"{_stem(root)}-{size}-*{FOLDER_SUFFIX}")) - {place_of(root, size)})


def name_of(image: str) -> str:
    """Return the name in the cache of a manifest's ``image``, which may be an absolute path."""
    return str(image).lstrip("/")


def signature(path: Path) -> tuple[int, ...]:
    """Return (size in bytes, modification time in ns) of an original; empty if the file does not exist."""
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns


def recipe() -> str:
    """Return the declared versions of decoding and reduction."""
    return f"v{MACHINERY['images'].version}.{MACHINERY['image_kinds'].version}"


@cache
def source_now() -> str:
    """Hash the source code that decodes and reduces images. It is provenance and not part of the path."""
    return code_version(*DECODING)


def _images() -> Path:
    return paths.cache_root().absolute() / "images"


def _stem(root: Path) -> str:
    place = root.resolve()
    return f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
