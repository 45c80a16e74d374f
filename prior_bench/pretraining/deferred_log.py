"""The log of each step's numbers, read from the device only when they are printed.

mmengine reads every loss and the norm of the gradient in every step, and the host waits for the device each
time. Here they stay on the device until a line of the log is due. The lines are the same.
"""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor

INTERVAL = 50
"""Steps between two lines of the log."""


class KeepsNorm(OptimWrapper):
    """Optimiser that keeps the norm of the gradient as a tensor.

    Attributes:
        norm: norm of the last gradient before clipping; None without clipping.
    """

    norm: Tensor | None = None

    def _clip_grad(self) -> None:
        groups = self.optimizer.param_groups
        parameters = [
            p for group in groups for p in group["params"] if p.requires_grad and p.grad is not None
        ]
        if parameters:
            self.norm = self.clip_func(parameters, **self.clip_grad_kwargs)


class AmpKeepsNorm(KeepsNorm, AmpOptimWrapper):
    """The same with mixed precision."""


class DeferredInfo(RuntimeInfoHook):
    """Hook that gives each step's losses to mmengine's log in the steps in which it prints a line.

    Args:
        interval: steps between two lines.
    """

    def __init__(self, interval: int = INTERVAL):
        self.interval = interval
        self._steps: list[dict[str, Tensor]] = []

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict | None = None
    ) -> None:
        """Keep the numbers of a step; hand over all that are kept if a line is due."""
        norm = getattr(runner.optim_wrapper, "norm", None)
        values = {**({} if norm is None else {"grad_norm": norm}), **(outputs or {})}
        self._steps.append({name: value.detach().reshape(()) for name, value in values.items()})
        due = self.every_n_inner_iters(batch_idx, self.interval)
        if due or self.end_of_epoch(runner.train_dataloader, batch_idx):
            self._hand_over(runner.message_hub)

    def _hand_over(self, hub: Any) -> None:
        steps, self._steps = self._steps, []
        tensors = [value for step in steps for value in step.values()]
        numbers = iter(torch.stack([t.double() for t in tensors]).tolist() if tensors else [])
        for step in steps:
            for name in step:
                hub.update_scalar(f"train/{name}", next(numbers))
