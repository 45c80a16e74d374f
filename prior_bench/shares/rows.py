"""The outputs of the whole batch, from those of each process's share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from prior_bench.shares.share import BatchShare, current, outputs_are_complete


def whole(outputs: Tensor) -> Tensor:
    """Return outputs [share, ...] of all processes as those of the whole batch, [batch, ...].

    What is computed from them is the same in all processes, so that the gradient of this process's rows is
    complete; the gradients of weights are then the sum over the processes. Outside of a shared step, the
    outputs are returned as they are.

    Raises:
        ValueError: this process has not as many rows as its share.
    """
    share = current()
    if share is None:
        return outputs
    if len(outputs) != share.size:
        raise ValueError(f"{len(outputs)} rows, and the share of process {share.index} has {share.size}")
    outputs_are_complete()
    return _Whole.apply(outputs, share)


def whole_list(values: Sequence[Any]) -> list[Any]:
    """Return values of each row, on the CPU, of all processes as those of the whole batch.

    Raises:
        ValueError: this process has not as many values as its share.
    """
    share = current()
    if share is None:
        return list(values)
    if len(values) != share.size:
        raise ValueError(f"{len(values)} values, and the share of process {share.index} has {share.size}")
    told: list[Any] = [None] * share.count
    dist.all_gather_object(told, list(values))
    return [value for values in told for value in values]


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, outputs: Tensor, share: BatchShare) -> Tensor:
        ctx.own = share.own
        largest = -(-share.rows // share.count)
        padded = outputs.new_zeros(largest, *outputs.shape[1:])  # NCCL gathers equal sizes alone
        padded[: share.size] = outputs
        parts = [torch.empty_like(padded) for _ in range(share.count)]
        dist.all_gather(parts, padded)
        sizes = [share.of(index).stop - share.of(index).start for index in range(share.count)]
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0][ctx.own], None
