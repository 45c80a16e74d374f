"""Settings of the process: device, seeds, progress bars. Importing this module has no side effects."""

import os
import random
import sys
from collections.abc import Iterable
from typing import Any

from prior_bench.errors import BenchError


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
    return tqdm(items, desc=what, total=total, disable=not shown, leave=False, dynamic_ncols=True)
