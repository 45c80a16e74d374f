"""Length and learning rate of a run: stages with a linear warm-up and a half cosine."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler


@dataclass(frozen=True)
class Stage:
    """A stage of training: linear warm-up, then a half cosine, per step.

    Attributes:
        epochs: number of epochs.
        warmup_epochs: length of the warm-up in epochs; may be a fraction.
        warmup_factor: learning rate at the first step, as a share of the peak.
        final_factor: learning rate at the last step, as a share of the peak.
        lr_factor: the peak, as a share of the optimiser's ``lr``.
    """

    epochs: int
    warmup_epochs: float = 0.0
    warmup_factor: float = 0.01
    final_factor: float = 0.0
    lr_factor: float = 1.0

    def factor(self, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step as a share of the optimiser's; the stage starts with step 0."""
        warmup, total = round(self.warmup_epochs * steps_per_epoch), self.epochs * steps_per_epoch
        if step < warmup:
            return self.lr_factor * (self.warmup_factor + (1 - self.warmup_factor) * step / warmup)
        falling = (1 + math.cos(math.pi * (step - warmup) / max(total - warmup - 1, 1))) / 2
        return self.lr_factor * (self.final_factor + (1 - self.final_factor) * falling)


@dataclass(frozen=True)
class Schedule(Stage):
    """A single stage, or several consecutive ones, each with a new warm-up and reset optimiser moments.

    Attributes:
        epochs: number of epochs of a run with one stage, like the other fields of :class:`Stage`.
        stages: stages of a run with several. The method's attribute ``stage`` is set to the current stage,
            counted from 1.
    """

    epochs: int = 0
    stages: tuple[Stage, ...] = ()

    @property
    def parts(self) -> tuple[Stage, ...]:
        """The stages; there is always at least one."""
        return self.stages or (self,)

    @property
    def ends(self) -> list[int]:
        """The number of epochs after which each stage ends."""
        return list(accumulate(stage.epochs for stage in self.parts))


class StagedLR(LRSchedulerMixin, _ParamScheduler):
    """Scheduler whose learning rates depend only on the step; mmengine's own cannot restart at a stage.

    Args:
        optimizer: optimiser of mmengine or torch.
        schedule: schedule of the run.
        steps_per_epoch: number of optimiser steps per epoch.
    """

    def __init__(self, optimizer: Any, schedule: Schedule, steps_per_epoch: int, **kwargs: Any):
        self.stages = [{k: v for k, v in asdict(s).items() if k != "stages"} for s in schedule.parts]
        self.steps_per_epoch = steps_per_epoch
        super().__init__(optimizer, by_epoch=False, **kwargs)

    def _get_value(self) -> list[float]:
        step, stages = self.last_step, [Stage(**stage) for stage in self.stages]
        for stage in stages[:-1]:
            if step < stage.epochs * self.steps_per_epoch:
                break
            step -= stage.epochs * self.steps_per_epoch
        else:
            stage = stages[-1]
        return [base * stage.factor(step, self.steps_per_epoch) for base in self.base_values]
