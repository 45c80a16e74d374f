"""The image cache of one folder of originals at one size: a folder of shards."""

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
"""Marks the folder of a cache: what stands after it in a path is the name of an image in the cache."""


class ImageCache:
    """All shards of a cache.

    Args:
        folder: of the cache.
        shards: by their first image.
    """

    def __init__(self, folder: Path, shards: list[Shard]):
        self.folder, self.shards = folder, sorted(shards, key=lambda shard: shard.first)
        self._shard_of = {name: shard for shard in self.shards for name in shard.entries}

    @classmethod
    def load(cls, folder: Path) -> ImageCache:
        """The cache as it is stored on disk; headers are read, pixels are not.

        Raises:
            BenchError: there is none, or a shard of it is damaged.
        """
        if not folder.is_dir():
            raise BenchError("no such image cache", where=folder, fix="prior-bench data cache REF --size N")
        return cls(folder, [Shard(path) for path in sorted(folder.glob(f"*{SUFFIX}"))])

    def __contains__(self, name: str) -> bool:
        return name in self._shard_of

    def entry(self, name: str) -> Entry:
        """What is known of an image.

        Raises:
            BenchError: it is not in the cache.
        """
        return self.shard_of(name).entries[name]

    def shard_of(self, name: str) -> Shard:
        """The shard that holds an image.

        Raises:
            BenchError: it is not in the cache.
        """
        if name not in self._shard_of:
            raise BenchError(
                f"holds no image '{name}'", where=self.folder, fix="run prior-bench data cache again"
            )
        return self._shard_of[name]

    def read(self, name: str) -> np.ndarray:
        """Pixels uint8 [height, width]; any order, straight from the mapped file.

        Raises:
            BenchError: not in the cache, unreadable as the original is, or damaged on disk.
        """
        if error := self.entry(name).error:
            fix = "download the file again, then run prior-bench data cache again"
            raise BenchError(error, fix=fix)  # begins with the file
        return self._shard_of[name].read(name)

    def stream(self) -> Iterator[tuple[str, np.ndarray]]:
        """All readable images in the order of the disk, which is that of their names."""
        for shard in self.shards:
            yield from shard.stream()


def place_of(root: Path, size: int) -> Path:
    """Folder of the cache for originals under ``root``: by size, and by how they are read and reduced."""
    return _images() / f"{_stem(root)}-{size}-{recipe()}{FOLDER_SUFFIX}"


def outdated(root: Path, size: int) -> list[Path]:
    """Caches of the same originals and size that were made otherwise; no longer used."""
    return sorted(set(_images().glob(f"{_stem(root)}-{size}-*{FOLDER_SUFFIX}")) - {place_of(root, size)})


def name_of(image: str) -> str:
    """Name in the cache of a manifest's ``image``, which may be an absolute path."""
    return str(image).lstrip("/")


def signature(path: Path) -> tuple[int, ...]:
    """(bytes, time of change) of an original; empty where it is not there."""
    try:
        state = path.stat()
    except OSError:
        return ()
    return state.st_size, state.st_mtime_ns


def recipe() -> str:
    """How an image file becomes grey pixels and these are reduced: the declared version."""
    return f"v{MACHINERY['images'].version}"


@cache
def source_now() -> str:
    """Hash of the source that reads and reduces images: provenance of a shard, no part of its place."""
    return code_version("prior_bench.data.images.decode")


def _images() -> Path:
    return paths.cache_root().absolute() / "images"


def _stem(root: Path) -> str:
    place = root.resolve()
    return f"{place.name}-{hashlib.sha256(str(place).encode()).hexdigest()[:8]}"
