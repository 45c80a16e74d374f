"""A cache for arrays that are slow to compute, under a hash of everything they depend on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import numpy as np

from prior_bench import paths
from prior_bench.errors import BenchError, StorageError
from prior_bench.io.arrays import read_arrays, write_arrays
from prior_bench.io.atomic import whole_file

Arrays = dict[str, np.ndarray]


def cached_arrays(folder: str, key: str, make: Callable[[], Arrays], worth: float = 0) -> Arrays:
    """Return the arrays stored under ``key`` in a folder of the cache; compute them if missing or damaged.

    What is computed in less than ``worth`` seconds is not stored.

    If the cache cannot be written, computing takes time again, but there is no error.
    """
    place = paths.cache_root() / folder / f"{key}.npz"
    try:
        return read_arrays(place)  # a cache that is shared is data of others
    except BenchError:
        pass
    begun = time.perf_counter()
    made = make()
    if time.perf_counter() - begun < worth:
        return made
    with contextlib.suppress(StorageError), whole_file(place) as fresh:
        write_arrays(fresh, made, compress=False)
    return made
