"""Keep the arrays that a function returned last, as many as fit into a number of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import update_wrapper
from threading import Lock

import numpy as np

Arrays = dict[str, np.ndarray]


class KeptArrays:
    """A function that returns arrays, and does not compute again what is still kept.

    As :func:`functools.lru_cache`, but the limit is one of bytes: runs differ in size a thousandfold.

    Args:
        function: called with hashable arguments. Its results are shared, so that they must not be changed.
        most_bytes: the arrays that were used last are kept, up to this sum.
    """

    def __init__(self, function: Callable[..., Arrays], most_bytes: int):
        self._function, self._most = function, most_bytes
        self._kept: OrderedDict[Hashable, Arrays] = OrderedDict()
        self._bytes, self._lock = 0, Lock()
        update_wrapper(self, function)

    def __call__(self, *given: Hashable) -> Arrays:
        """Return what is kept for these arguments, or compute it."""
        with self._lock:
            if given in self._kept:
                self._kept.move_to_end(given)
                return self._kept[given]
        made = self._function(*given)
        with self._lock:
            if given not in self._kept:
                self._kept[given] = made
                self._bytes += _bytes(made)
            while self._bytes > self._most:
                self._bytes -= _bytes(self._kept.popitem(last=False)[1])
        return made

    def cache_clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


def keep_arrays(most_bytes: int) -> Callable[[Callable[..., Arrays]], KeptArrays]:
    """Decorate a function with :class:`KeptArrays`."""
    return lambda function: KeptArrays(function, most_bytes)


def _bytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays.values())
