"""Read paths inside an image cache (``…/NAME.imagecache/IMAGE``), in any process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from prior_bench.data.images.cache.image_cache import FOLDER_SUFFIX, ImageCache

_open: dict[str, ImageCache] = {}  # processes forked by a data loader share the open caches


def opened(folder: Path, *, anew: bool = False) -> ImageCache:
    """Return the cache in a folder. Headers are read once per process, or again with ``anew``."""
    key = str(folder)
    if anew or key not in _open:
        _open[key] = ImageCache.load(folder)
    return _open[key]


def is_cached(path: str | os.PathLike) -> bool:
    """Whether a path names an image inside an image cache rather than a file."""
    return any(folder.suffix == FOLDER_SUFFIX for folder in Path(path).parents)


def read_cached(path: str) -> np.ndarray:
    """Read the pixels of a path inside a cache, uint8 [height, width]; see :meth:`ImageCache.read`."""
    folder, name = parts(path)
    return opened(folder).read(name)


def cached_size(path: str) -> tuple[int, int]:
    """Return (height, width) of a path inside a cache, from the header."""
    folder, name = parts(path)
    cache = opened(folder)
    height, width = cache.entry(name).size or cache.read(name).shape  # reading raises the reason
    return height, width


def parts(path: str) -> tuple[Path, str]:
    """Split a path inside a cache into the folder of the cache and the name of the image."""
    folder, _, name = path.partition(f"{FOLDER_SUFFIX}/")
    return Path(folder + FOLDER_SUFFIX), name
