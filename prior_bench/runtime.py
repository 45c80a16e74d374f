"""Settings of the process: device, seeds, progress bars. Importing this module has no side effects."""

import os
import random
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.escaping.signs import one_line
from prior_bench.escaping.streams import bare


def pick_device(wish: str = "auto") -> str:
    """Return ``"cuda"`` or ``"cpu"``; ``auto`` selects a GPU if there is one.

    Raises:
        BenchError: ``cuda`` was requested, but no CUDA device is visible.
    """
    import torch

    if wish == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if wish.startswith("cuda") and not torch.cuda.is_available():
        raise BenchError("no CUDA device is visible", where="--device", fix="use --device cpu or auto")
    return wish


def use_threads(count: int) -> None:
    """Compute with so many threads from now on, also in libraries that are loaded later.

    Results on a CPU depend on the number of threads, because it decides the order in which floats are added.
    """
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(count)
    threadpool_limits(count)
    os.environ["OMP_NUM_THREADS"] = str(count)


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Compute with so many threads inside the block; None changes nothing."""
    if count is None:
        yield
        return
    import torch
    from threadpoolctl import threadpool_limits

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and torch (all devices)."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def progress(items: Iterable, what: str, total: int | None = None) -> Any:
    """Wrap items in a progress bar with the remaining time, on stderr.

    The bar is hidden if stderr is not a terminal, which keeps logs readable. ``PRIOR_BENCH_PROGRESS``
    overrides this: 1 shows bars, and an empty value hides them.
    """
    from tqdm import tqdm

    wish = os.environ.get("PRIOR_BENCH_PROGRESS")
    shown = sys.stderr.isatty() if wish is None else bool(wish)
    return tqdm(
        items,
        desc=one_line(what),
        total=total,
        disable=not shown,
        leave=False,
        dynamic_ncols=True,
        file=bare(sys.stderr),
    )
