"""Float32 within mixed-precision training, for sums and exponentials that exceed half precision."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

HALVES = (torch.float16, torch.bfloat16)


def in_full_precision(function: Callable) -> Callable:
    """Make a function run outside autocast, with half-precision arguments cast to float32."""

    @wraps(function)
    def run(*tensors, **options):
        whole = [t.float() if isinstance(t, Tensor) and t.dtype in HALVES else t for t in tensors]
        with torch.autocast(tensors[0].device.type, enabled=False):
            return function(*whole, **options)

    return run
