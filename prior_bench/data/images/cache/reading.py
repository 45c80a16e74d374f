"""How a path inside an image cache (``…/NAME.imagecache/IMAGE``) is read, in any process."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from prior_bench.data.images.cache.image_cache import FOLDER_SUFFIX, ImageCache

_open: dict[str, ImageCache] = {}  # processes forked by a data loader share what was read before


def opened(folder: Path, *, anew: bool = False) -> ImageCache:
    """The cache in a folder, its headers read once per process or, with ``anew``, again."""
    key = str(folder)
    if anew or key not in _open:
        _open[key] = ImageCache.load(folder)
    return _open[key]


def is_cached(path: str | os.PathLike) -> bool:
    """Whether a path names an image inside an image cache, which is no file of its own."""
    return any(folder.suffix == FOLDER_SUFFIX for folder in Path(path).parents)


def read_cached(path: str) -> np.ndarray:
    """Pixels uint8 [height, width] of a path inside a cache; see :meth:`ImageCache.read`."""
    folder, name = parts(path)
    return opened(folder).read(name)


def cached_size(path: str) -> tuple[int, int]:
    """(height, width) of the same, from the header."""
    folder, name = parts(path)
    cache = opened(folder)
    height, width = cache.entry(name).size or cache.read(name).shape  # the latter says why there is no size
    return height, width


def parts(path: str) -> tuple[Path, str]:
    """Folder of the cache and name of the image in it, of a path inside a cache."""
    folder, _, name = path.partition(f"{FOLDER_SUFFIX}/")
    return Path(folder + FOLDER_SUFFIX), name
