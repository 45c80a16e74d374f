"""How long a run trains and at which rate: stages, each a linear warm-up and a half cosine."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

from mmengine.optim.scheduler.lr_scheduler import LRSchedulerMixin
from mmengine.optim.scheduler.param_scheduler import _ParamScheduler


@dataclass(frozen=True)
class Stage:
    """Linear warm-up, then a half cosine, per step.

    Attributes:
        epochs: passes over the data.
        warmup_epochs: may be a fraction.
        warmup_factor: learning rate at the first step, as a share of the peak.
        final_factor: at the last.
        lr_factor: the peak, as a share of the optimiser's ``lr``.
    """

    epochs: int
    warmup_epochs: float = 0.0
    warmup_factor: float = 0.01
    final_factor: float = 0.0
    lr_factor: float = 1.0

    def factor(self, step: int, steps_per_epoch: int) -> float:
        """Learning rate of a step, counted from the start of the stage, as a share of the optimiser's."""
        warmup, total = round(self.warmup_epochs * steps_per_epoch), self.epochs * steps_per_epoch
        if step < warmup:
            return self.lr_factor * (self.warmup_factor + (1 - self.warmup_factor) * step / warmup)
        falling = (1 + math.cos(math.pi * (step - warmup) / max(total - warmup - 1, 1))) / 2
        return self.lr_factor * (self.final_factor + (1 - self.final_factor) * falling)


@dataclass(frozen=True)
class Schedule(Stage):
    """One stage, or several after one another; at each, the rate and the optimiser's memory start again.

    Attributes:
        epochs: as the other fields of :class:`Stage`: of a run that has one stage.
        stages: of a run that has several. The method is told which it is in, from 1, by its attribute
            ``stage``.
    """

    epochs: int = 0
    stages: tuple[Stage, ...] = ()

    @property
    def parts(self) -> tuple[Stage, ...]:
        """The stages, of which there is always one."""
        return self.stages or (self,)

    @property
    def ends(self) -> list[int]:
        """The epoch after which each stage is over."""
        return list(accumulate(stage.epochs for stage in self.parts))


class StagedLR(LRSchedulerMixin, _ParamScheduler):
    """Learning rates of a schedule, as a function of the step alone (mmengine's own do not start again).

    Args:
        optimizer: of mmengine or torch.
        schedule: what to follow.
        steps_per_epoch: optimiser steps.
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
