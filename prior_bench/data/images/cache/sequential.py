"""Read an image cache shard by shard, so that each file is read once from its beginning to its end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from prior_bench.data.images.cache.reading import is_cached, opened, parts
from prior_bench.data.images.cache.shard import Shard
from prior_bench.data.images.read import read_image
from prior_bench.errors import BenchError

CHUNK = 1 << 20
"""Bytes per read of a shard's file."""


class SequentialShards:
    """Reader of cached images that loads each shard sequentially.

    Before the first image of a shard is returned in an epoch, the whole file is read in the order on disk.
    Its images can then be copied from memory in any order. This class keeps no pixels: they are in the page
    cache of the operating system, which all processes share.

    Args:
        images: paths of all images that will be read, each inside an image cache.

    Raises:
        BenchError: an image is not in an image cache.
    """

    def __init__(self, images: Iterable[Path]):
        shards: dict[Shard, int] = {}
        self._number = {image: shards.setdefault(_shard_of(image), len(shards)) for image in images}
        self._files = [shard.path for shard in shards]
        self._epoch = -1
        self._read: set[int] = set()

    def __len__(self) -> int:
        return len(self._files)

    def number(self, image: Path) -> int:
        """Return the number of an image's shard, from 0; it is the same in every process."""
        return self._number[image]

    def read(self, image: Path, epoch: int) -> np.ndarray:
        """Read the pixels of an image, uint8 [height, width].

        Raises:
            BenchError: the original is unreadable, or the shard is damaged.
        """
        if epoch != self._epoch:
            self._epoch, self._read = epoch, set()
        number = self._number[image]
        if number not in self._read:
            read_through(self._files[number])
            self._read.add(number)
        return read_image(image)


def read_through(file: Path) -> None:
    """Read a file from beginning to end, so that it is in the page cache.

    Raises:
        BenchError: the file cannot be read.
    """
    buffer = bytearray(CHUNK)
    try:
        with open(file, "rb", buffering=0) as stream:
            while stream.readinto(buffer):
                pass
    except OSError as error:
        raise BenchError(
            f"shard of the image cache cannot be read ({error})",
            where=file,
            fix="run the same `prior-bench data cache` again",
        ) from error


def _shard_of(image: Path) -> Shard:
    if not is_cached(image):
        raise BenchError(
            "is not in an image cache, which reading in shard order requires",
            where=image,
            fix="make one (prior-bench data cache REF --size N) and name it: dataset=dict(type=..., cache=N)",
        )
    folder, name = parts(str(image))
    return opened(folder).shard_of(name)
