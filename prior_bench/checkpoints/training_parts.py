"""Check what the state of an interrupted epoch says of each process, which somebody else may have written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.checkpoints.training_states import PARTS, is_count, no_state
from prior_bench.checkpoints.values import require_finite

KEYS = {"torch", "cuda", "python", "numpy", "buffers", "sums", "seconds"}
"""What there is of a process."""
WORDS = 624
"""Words of the state of a Mersenne twister."""


def require_parts(state: Mapping[str, Any], model: nn.Module, processes: int, path: Path) -> None:
    """Raise BenchError unless a state has what each of the processes needs to go on within an epoch.

    Args:
        state: the state, as :func:`prior_bench.checkpoints.training_states.read_state` returns it.
        model: the model that is trained.
        processes: number of processes.
        path: the file, for messages.
    """
    parts = state.get(PARTS)
    if not isinstance(parts, list) or len(parts) != processes:
        raise no_state(path, f"it is not of {processes} processes")
    if not isinstance(state.get("optimizer"), dict):
        raise no_state(path, "it has no optimizer")
    for part in parts:
        if not isinstance(part, dict) or part.keys() != KEYS:
            raise no_state(path, "it does not say how each process goes on")
        if not (_is_random(part) and _is_number(part["seconds"])):
            raise no_state(path, "its random states are none")
        for name, wanted in (("buffers", dict(model.named_buffers())), ("sums", None)):
            _require_tensors(part[name], wanted, path)


def _require_tensors(found: Any, wanted: dict[str, Tensor] | None, path: Path) -> None:
    """Check buffers against the model's, and sums of losses to be single numbers."""
    if not isinstance(found, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise no_state(path, "it holds something else than tensors")
    if wanted is None:
        if any(value.numel() != 1 for value in found.values()):
            raise no_state(path, "its sums of losses are no numbers")
        return
    if {k: (v.shape, v.dtype) for k, v in found.items()} != {
        k: (v.shape, v.dtype) for k, v in wanted.items()
    }:
        raise no_state(path, "other buffers than the model's")
    require_finite(found, path)


def _is_random(part: Mapping[str, Any]) -> bool:
    """Return whether the random states are ones that generators accept."""
    own, cuda, python, numpy = (part[name] for name in ("torch", "cuda", "python", "numpy"))
    if not _are_bytes(own) or own.shape != torch.get_rng_state().shape:
        return False
    if not (cuda is None or (_are_bytes(cuda) and cuda.numel() <= 1024)):
        return False
    if not (isinstance(python, list | tuple) and len(python) == 3 and python[0] == 3):
        return False
    if not (_are_words(python[1], WORDS + 1) and (python[2] is None or _is_number(python[2]))):
        return False
    if not (isinstance(numpy, list | tuple) and len(numpy) == 5 and numpy[0] == "MT19937"):
        return False
    positions = int(python[1][-1]) <= WORDS and is_count(numpy[2]) and numpy[2] <= WORDS
    return positions and _are_words(numpy[1], WORDS) and numpy[3] in (0, 1) and _is_number(numpy[4])


def _are_bytes(value: Any) -> bool:
    return isinstance(value, Tensor) and value.dtype == torch.uint8 and value.ndim == 1


def _are_words(value: Any, count: int) -> bool:
    """Return whether a tensor holds so many numbers of 32 bits."""
    if not (isinstance(value, Tensor) and value.dtype == torch.int64 and value.shape == (count,)):
        return False
    return bool(((value >= 0) & (value < 1 << 32)).all())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
