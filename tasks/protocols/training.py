"""The common keys of segmentation and detection protocols."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from prior_bench.schema.base import Count, Problems
from prior_bench.schema.protocol import Frozen, ProtocolModel, Stopping, TrainingOptimizer


class TrainedProtocol(ProtocolModel):
    """A protocol that trains a decoder or detector on the backbone."""

    frozen: Frozen
    """The parts of the backbone that are not trained."""
    optimizer: TrainingOptimizer
    """The optimiser and the course of the learning rate."""
    stopping: Stopping
    """The length of training, and the weights that are tested."""
    gpus: Count = 1
    """Processes, one per GPU, that train together with ``--gpus``; under torchrun, all do if it is above 1.
    It changes results by rounding alone, and is in no key (docs/scaling.md)."""

    @model_validator(mode="after")
    def _starts(self) -> Self:
        problems, how = Problems(), self.optimizer
        start_problems(self.frozen, how, problems)
        if how.plateau_on != "monitor" and how.schedule != "plateau":
            what = f"the schedule is '{how.schedule}'"
            fix = "use schedule 'plateau', or leave it out"
            problems.add("optimizer.plateau_on", how.plateau_on, what, fix)
        problems.raise_any()
        return self


def start_problems(frozen: Frozen, optimizer: TrainingOptimizer, problems: Problems) -> None:
    """Add a problem if a backbone that is never trained is frozen in the first steps, too."""
    if optimizer.frozen_steps and frozen.backbone:
        what = "the backbone is frozen in all steps"
        fix = "leave out frozen_steps and frozen_lr, or set frozen.backbone=False"
        problems.add("optimizer.frozen_steps", optimizer.frozen_steps, what, fix)
