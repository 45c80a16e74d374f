"""Whether tensors of a file can be weights: finite, and numbers where the model has weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import torch
from torch import Tensor

from prior_bench.errors import BenchError


def not_finite(tensors: dict[str, Tensor]) -> tuple[str, ...]:
    """Return a problem for each tensor that contains NaN or infinity; all values are read."""
    counts = {
        name: int((~torch.isfinite(_stored_values(t))).sum())
        for name, t in tensors.items()
        if t.is_floating_point()
    }
    return tuple(
        f"{name} contains NaN or infinity ({count} value{'s' * (count > 1)})"
        for name, count in counts.items()
        if count
    )


def _stored_values(tensor: Tensor) -> Tensor:
    """Return a tensor without repetitions of one stored value, in a type that torch can test."""
    for axis, step in enumerate(tensor.stride()):
        if step == 0 and tensor.shape[axis] > 1:
            tensor = tensor.narrow(axis, 0, 1)
    return tensor.float() if tensor.element_size() == 1 else tensor


def require_finite(tensors: dict[str, Tensor], path: str | Path) -> None:
    """Raise BenchError if a tensor contains NaN or infinity, unless :func:`nonfinite_allowed`."""
    spoiled, allowed = not_finite(tensors), _allowed.get()
    if spoiled and allowed is None:
        more = f"; and {len(spoiled) - 5} more" if len(spoiled) > 5 else ""
        raise BenchError(
            f"{'; '.join(spoiled[:5])}{more}",
            where=path,
            fix="take an earlier checkpoint: this one diverged (or, if the tensors are not used, "
            "--allow-nonfinite)",
        )
    if allowed is not None:
        allowed += spoiled


_allowed: ContextVar[list[str] | None] = ContextVar("allowed", default=None)


@contextmanager
def nonfinite_allowed(allowed: bool = True) -> Iterator[list[str]]:
    """Let weights with NaN or infinity be loaded inside; yields the list that their problems are added to."""
    found: list[str] = []
    token = _allowed.set(found if allowed else None)
    try:
        yield found
    finally:
        _allowed.reset(token)


def require_numbers(given: dict[str, Tensor], wanted: dict[str, Tensor], path: str | Path) -> None:
    """Check that weights are floating-point numbers; counters and indices of a model are integers.

    Args:
        given: tensors of a file, by the model's names.
        wanted: those of the model.
        path: the file, for messages.

    Raises:
        BenchError: some have integers or truth values where the model has weights.
    """
    wrong = [
        f"{name} has values of type {str(tensor.dtype).removeprefix('torch.')}"
        for name, tensor in given.items()
        if name in wanted and wanted[name].is_floating_point() and not tensor.is_floating_point()
    ]
    if wrong:
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        what = f"these are no weights: {'; '.join(wrong[:5])}{more}"
        raise BenchError(
            what, where=path, fix="save floating-point weights (state = model.float().state_dict())"
        )
