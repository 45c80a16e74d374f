"""Gather features of all processes, with gradients."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Return the number of training processes; 1 without distributed training."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Return the index of this process, from 0."""
    return dist.get_rank() if world_size() > 1 else 0


def all_gather(features: Tensor) -> Tensor:
    """Gather the rows [B, ...] of all processes in the order of their ranks, [processes * B, ...].

    The gradient of a row is the sum of the gradients of all processes' losses. If each process's loss is a
    mean over its own rows, and DistributedDataParallel averages gradients over processes, the result is the
    gradient of the mean over all rows, as for one process with the whole batch.

    Raises:
        ValueError: the processes have different numbers of rows.
    """
    if world_size() == 1:
        return features
    _require_equal_rows(features)
    return _AllGather.apply(features)


def _require_equal_rows(features: Tensor) -> None:
    rows = torch.full((1,), features.shape[0], device=features.device)
    gathered = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(gathered, rows)
    if rows.is_cuda:  # the GPU checks when it comes to it, and the host does not wait
        same = (torch.cat(gathered) == rows).all()
        torch._assert_async(same, "every process must have the same number of rows")
        return
    counts = [int(count) for count in gathered]
    if len(set(counts)) > 1:
        raise ValueError(
            f"every process must have the same number of rows, but they have {counts}: drop the last, "
            "incomplete batch"
        )


class _AllGather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        features = features.contiguous()
        parts = [torch.empty_like(features) for _ in range(world_size())]
        dist.all_gather(parts, features)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        gradient = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(gradient)
        return gradient.chunk(world_size())[rank()]
