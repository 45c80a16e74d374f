"""A run of the real training loop with two weights, planted gradients and planted validations.

What it shows (learning rates, batches, updates, stopping, tested weights) is what a protocol does to any
model, because :func:`prior_bench.openmmlab.runner.train_and_test` trains all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from torch import nn
from torch.utils.data import Dataset

from prior_bench.api import Protocol, RunContext
from prior_bench.openmmlab.recipe import VALID_LOSS
from prior_bench.openmmlab.runner import train_and_test
from prior_bench.openmmlab.sampler import Draw

PARTS = ("backbone", "head")
"""The two weights; a frozen backbone has no rate."""


@dataclass
class ToyRun:
    """What happened.

    Attributes:
        rates: learning rates of each step by part, for each epoch.
        rows: rows of each batch, for each epoch.
        trained, in_training_mode: whether the backbone has a gradient, and its mode, at each step.
        weights: the two weights after each step.
        validated: number of images of each validation, by epoch.
        tested_rows: rows of the test.
        tested_epoch: the epoch after which the tested weights were reached; 0 if nothing was tested.
    """

    rates: list[list[dict[str, float]]] = field(default_factory=list)
    rows: list[list[list[int]]] = field(default_factory=list)
    weights: list[list[float]] = field(default_factory=list)
    trained: list[bool] = field(default_factory=list)
    in_training_mode: list[bool] = field(default_factory=list)
    validated: dict[int, int] = field(default_factory=dict)
    tested_rows: list[int] = field(default_factory=list)
    tested_epoch: int = 0


class _EnoughError(Exception):
    """The asked epochs are over."""


class _Rows(Dataset):
    def __init__(self, count: int):
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: int | Draw) -> dict[str, Any]:
        return {"inputs": key.row if isinstance(key, Draw) else int(key)}


class _Toy(BaseModel):
    """Two weights whose gradients at each step are given; it writes down what happens to them."""

    steps: torch.Tensor

    def __init__(
        self, protocol: Protocol, gradients: Sequence[Sequence[float]], found: ToyRun, epochs: int | None
    ):
        super().__init__()
        self.gradients, self.found, self.epochs = gradients, found, epochs
        for name in PARTS:
            part = nn.Module()
            # in float64, small changes show
            part.register_parameter("weight", nn.Parameter(torch.ones((), dtype=torch.float64)))
            self.add_module(name, part)
        self.backbone.requires_grad_(not protocol.frozen["backbone"])
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    @property
    def weights(self) -> dict[str, nn.Parameter]:
        return {name: getattr(self, name).weight for name in PARTS}

    def train_step(self, data: dict[str, Any], optim_wrapper: OptimWrapper) -> dict[str, torch.Tensor]:
        epoch = MessageHub.get_current_instance().get_info("epoch")
        if self.epochs is not None and epoch >= self.epochs:
            raise _EnoughError
        while len(self.found.rows) <= epoch:
            self.found.rows.append([])
            self.found.rates.append([])
        self.found.rows[epoch].append([int(row) for row in data["inputs"]])
        self.found.rates[epoch].append(
            {
                name: group["lr"]
                for name, weight in self.weights.items()
                for group in optim_wrapper.optimizer.param_groups
                if weight.requires_grad and any(weight is one for one in group["params"])
            }
        )
        self.found.trained.append(self.backbone.weight.requires_grad)
        self.found.in_training_mode.append(self.backbone.training)
        losses: dict[str, torch.Tensor] = super().train_step(data, optim_wrapper)
        self.steps += 1
        self.found.weights.append([weight.item() for weight in self.weights.values()])
        return losses

    def forward(self, inputs: Any, mode: str = "tensor") -> Any:
        if mode == "predict":
            return [{"row": int(row), "steps": int(self.steps)} for row in inputs]
        slopes = self.gradients[int(self.steps) % len(self.gradients)]
        return {
            "loss": sum(slope * weight for slope, weight in zip(slopes, self.weights.values(), strict=True))
        }


class _Planted(BaseMetric):
    """Says what was planted for the epoch."""

    default_prefix = ""

    def __init__(self, monitor: str, values: Sequence[float], losses: Sequence[float], found: ToyRun):
        super().__init__()
        self.monitor, self.values, self.losses, self.found = monitor, values, losses, found

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.results.extend(data_samples)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        epoch = len(self.found.rows)
        self.found.validated[epoch] = len(results)
        planted = {self.monitor: self.values, VALID_LOSS: self.losses}
        return {name: values[min(epoch, len(values)) - 1] for name, values in planted.items()}


class _Tested(BaseMetric):
    default_prefix = ""

    def __init__(self, found: ToyRun):
        super().__init__()
        self.found = found

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        self.results.extend(data_samples)

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        self.found.tested_rows = [sample["row"] for sample in results]
        steps, made = results[0]["steps"], 0
        for epoch, batches in enumerate(self.found.rows, start=1):
            made += len(batches)
            if made == steps:
                self.found.tested_epoch = epoch
        return {"steps": float(steps)}


def toy_run(
    protocol: Protocol,
    *,
    images: int,
    validation: int = 1,
    test: int = 1,
    monitored: Sequence[float] = (0.0,),
    losses: Sequence[float] = (0.0,),
    gradients: Sequence[Sequence[float]] = ((1.0, 1.0),),
    epochs: int | None = None,
) -> ToyRun:
    """Train, validate and test under a protocol, on the CPU.

    Args:
        images, validation, test: number of images of each part.
        monitored: values of the monitored quantity by epoch, higher is better; the last one is repeated.
        losses: validation losses by epoch, in the same way.
        gradients: gradients of backbone and head by step; they are repeated.
        epochs: number of epochs after which the run is broken off; None for all.
    """
    found = ToyRun()
    monitor = protocol.stopping["monitor"]
    data = {"train": _Rows(images), "valid": _Rows(validation), "test": _Rows(test)}
    collectors: dict[str, BaseMetric] = {
        "valid": _Planted(monitor, monitored, losses, found),
        "test": _Tested(found),
    }
    with TemporaryDirectory() as folder:
        context = RunContext(work_dir=Path(folder), cache_dir=Path(folder))
        try:
            train_and_test(
                lambda: _Toy(protocol, gradients, found, epochs), data, collectors, protocol, context
            )
        except _EnoughError:
            pass
    return found
