"""Make or complete an image cache: intact shards are kept, and everything else is made."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from prior_bench.data.images.cache.image_cache import name_of, place_of, signature, source_now
from prior_bench.data.images.cache.shard import SUFFIX, Entry, Shard, write_shard
from prior_bench.data.images.decode import decode_file, reduced
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.io.atomic import CACHE_FIX
from prior_bench.io.leftovers import DAY, remove_leftovers
from prior_bench.io.locks import sole_writer
from prior_bench.io.room import writing_to
from prior_bench.runtime import progress

SMALLEST = 16
"""Smallest size of a cache, in pixels."""
SHARD_IMAGES = 256
"""Images per shard: the most that a killed process loses, and the number to rebuild if a shard is damaged."""


@dataclass
class Built:
    """The outcome of :func:`build`.

    Attributes:
        folder: folder of the cache.
        made, kept: number of images that were made now, and of those that existed before.
        dropped: shards that were damaged or made from files that have changed since, with the reason.
        unreadable: error message of each image that cannot be read, by its file.
    """

    folder: Path
    made: int = 0
    kept: int = 0
    dropped: dict[Path, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


def build(manifest: Manifest, size: int, workers: int | None = None) -> Built:
    """Cache the images of a manifest, reduced to a longest side of ``size`` pixels.

    Threads suffice, because Pillow, zlib and NumPy release the interpreter while they decode and scale. A
    process that is killed loses at most the shard it was writing; the same call resumes.

    Args:
        manifest: manifest of the original images.
        size: longest side of the cached images, in pixels.
        workers: number of threads; by default one per core.

    Raises:
        BenchError: ``size`` or ``workers`` is too small, another process is making this cache, or the folder
            cannot be written.
    """
    workers = workers or os.cpu_count() or 1
    if size < SMALLEST or workers < 1:
        raise BenchError(
            f"size {size} and workers {workers}: at least {SMALLEST} and 1 are needed",
            where=manifest.name,
            fix="256 suits networks with inputs of 224 pixels",
        )
    sources = {name_of(image): manifest.root / image for image in manifest.table["image"]}
    built = Built(place_of(manifest.root, size))
    with _alone(built.folder):
        there = _kept(built, sources)
        built.kept = len(there)
        missing = sorted(name for name in sources if name not in there)
        with ThreadPoolExecutor(workers) as pool:
            try:
                for shard in _shards(pool, missing, sources, size):
                    write_shard(built.folder / _file_name(shard), shard, source_now())
                    there |= {name: entry for name, (_, entry) in shard.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # otherwise it decodes what nobody takes
                raise
        built.made = len(missing)
    built.unreadable = {str(sources[n]): e.error for n, e in sorted(there.items()) if e.error}
    return built


def _kept(built: Built, sources: dict[str, Path]) -> dict[str, Entry]:
    """Return the entries of wanted images in intact shards. All shards are read; bad ones are deleted."""
    kept: dict[str, Entry] = {}
    for path in progress(sorted(built.folder.glob(f"*{SUFFIX}")), "checking shards"):
        shard = None
        try:
            shard = Shard(path)
            for _ in shard.stream():
                pass
            why = "an original has changed" if _stale(shard, sources) else ""
        except BenchError as error:
            why = error.what
        if shard is None or why:
            with writing_to(path, CACHE_FIX):
                path.unlink()
            built.dropped[path] = why
        else:
            kept |= {name: entry for name, entry in shard.entries.items() if name in sources}
    return kept


def _stale(shard: Shard, sources: dict[str, Path]) -> bool:
    return any(
        name in sources and signature(sources[name]) != entry.source for name, entry in shard.entries.items()
    )


def _shards(
    pool: ThreadPoolExecutor, names: list[str], sources: dict[str, Path], size: int
) -> Iterator[dict[str, tuple[np.ndarray | None, Entry]]]:
    """Yield the images of each shard, decoded in parallel."""

    def decoded() -> Iterator[tuple[np.ndarray | None, Entry]]:
        for start in range(0, len(names), SHARD_IMAGES):
            paths = [sources[name] for name in names[start : start + SHARD_IMAGES]]
            yield from pool.map(lambda path: _make(path, size), paths)

    images = iter(progress(decoded(), "caching images", total=len(names)))
    for start in range(0, len(names), SHARD_IMAGES):
        yield {name: next(images) for name in names[start : start + SHARD_IMAGES]}
    next(images, None)  # closes the progress bar


def _make(path: Path, size: int) -> tuple[np.ndarray | None, Entry]:
    source = signature(path)
    try:
        image = decode_file(path)
    except BenchError as error:
        return None, Entry(source, error=f"{path}: {error.what}")
    small = np.ascontiguousarray(reduced(image, size))
    return small, Entry(source, image.shape, small.shape, zlib.crc32(small.data))


def _file_name(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16] + SUFFIX


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Claim the cache for writing, and remove files that a killed process left incomplete.

    Raises:
        BenchError: another process has the claim, or the folder cannot be made.
    """
    busy = "another process is making this cache"
    with sole_writer(folder, busy, "wait for it", cannot="set PRIOR_BENCH_CACHE"):
        remove_leftovers(folder, older_than=DAY)
        yield
