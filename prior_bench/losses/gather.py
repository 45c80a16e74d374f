"""Gathering features of all processes, with gradient."""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """Number of training processes; 1 where none was set up."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """Index of this process among them."""
    return dist.get_rank() if world_size() > 1 else 0


def all_gather(features: Tensor) -> Tensor:
    """The rows [B, ...] of all processes in order of rank, [processes * B, ...].

    The gradient of a row is the sum of what all processes' losses ask of it. With each process's loss a
    mean over its own rows, and gradients averaged over processes as DistributedDataParallel does, this
    is the gradient of the mean over all rows: that of one process with the whole batch.

    Raises:
        ValueError: the processes hold different numbers of rows.
    """
    if world_size() == 1:
        return features
    rows = torch.tensor([features.shape[0]], device=features.device)
    gathered = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(gathered, rows)
    counts = [int(count) for count in gathered]
    if len(set(counts)) > 1:
        raise ValueError(
            f"every process must hold the same number of rows, but they hold {counts}: drop the last, "
            "incomplete batch"
        )
    return _AllGather.apply(features)


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
