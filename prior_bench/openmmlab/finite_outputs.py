"""Fail a test whose network gives values that are not finite: a detector would report no boxes for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.api.finite_scores import FIX
from prior_bench.errors import BenchError


@contextmanager
def finite_outputs(head: nn.Module | None, where: str) -> Iterator[None]:
    """Check what a head gives within the block; nothing is checked if there is no head.

    Args:
        head: a module that returns tensors, in tuples or lists.
        where: the protocol, for the message.

    Raises:
        BenchError: an output contains NaN or infinity.
    """

    def look(_: nn.Module, __: Any, output: Any) -> None:
        if wrong := _not_finite(output):
            raise BenchError(f"{wrong:,} outputs of the trained head are not finite", where=where, fix=FIX)

    handle = head.register_forward_hook(look) if head is not None else None
    try:
        yield
    finally:
        if handle is not None:
            handle.remove()


def _not_finite(output: Any) -> int:
    if isinstance(output, Tensor):
        return int((~torch.isfinite(output)).sum())
    return sum(map(_not_finite, output)) if isinstance(output, list | tuple) else 0
