"""The gradient of the whole batch: the sum over processes of the gradients of their rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def add_up(parameters: Iterable[Tensor]) -> None:
    """Add up the gradients of all processes, in place; afterwards they have the same.

    DistributedDataParallel cannot be used: it averages, must be told of weights without a gradient, and does
    not allow that a backbone is frozen in the first steps alone.

    Args:
        parameters: the same in all processes, and in the same order. Those without a gradient are left out.
    """
    by_type: dict[torch.dtype, list[Tensor]] = {}
    for parameter in parameters:
        if parameter.grad is not None:
            by_type.setdefault(parameter.grad.dtype, []).append(parameter.grad)
    for gradients in by_type.values():
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        dist.all_reduce(flat)
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))


def trained(optimizer: Any) -> list[Tensor]:
    """Return the parameters of a torch optimiser."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
