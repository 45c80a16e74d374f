"""A training that is rehearsed: few steps, few evaluated images, and what they say of all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset, Subset

from prior_bench.api import Measured, Protocol, Rehearsal, repeated

ROUNDS = 2
"""Number of rounds, so that weights are saved, compared and chosen."""


class Repeated(BaseMetric):
    """A collector that computes metrics at the size of the whole data set, from the results of some images.

    Args:
        collector: it takes the results; where they name the row of an image, it has the method
            ``placed(result, row)``.
        rows: number of images in the whole data set.
    """

    default_prefix = ""

    def __init__(self, collector: BaseMetric, rows: int):
        super().__init__()
        self.collector, self.rows = collector, rows

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Pass on a batch of predictions."""
        self.collector.process(data_batch, data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the metrics of all rows."""
        return self.compute_metrics(self.collector.results)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Compute the metrics of all rows from the results of some."""
        placed = getattr(self.collector, "placed", lambda result, row: result)
        self.collector.results = [
            placed(results[place], row) for row, place in enumerate(repeated(self.rows, len(results)))
        ]
        return self.collector.evaluate(self.rows)


class StepClock(Hook):
    """Hook that measures the time of training steps (less the first), of evaluated images, and of metrics.

    Args:
        rehearsal: takes the measurements.
        kind: ``"trained"`` or ``"frozen"``, of the images of a training step.
        batches: number of images per step, here and in the real training.
        validations, steps: of the real training.
        sizes: images of the real ``valid`` and ``test``.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        kind: str,
        batches: tuple[int, int],
        validations: int,
        steps: int,
        sizes: Mapping[str, int],
    ):
        self.rehearsal, self.kind, self.batches = rehearsal, kind, batches
        self.validations, self.steps, self.sizes = validations, steps, sizes
        self.in_training: list[float] = []
        self.evaluated = {"valid": [0.0, 0], "test": [0.0, 0]}
        self.metrics: dict[str, list[float]] = {"valid": [], "test": []}

    def before_train_epoch(self, runner: Runner) -> None:
        """Start the time of the round's first step."""
        self.last = time.perf_counter()

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Note the time of a step, with the loading of its images."""
        self.in_training.append(self._lap())

    def before_val_epoch(self, runner: Runner) -> None:
        """Start the time of a validation."""
        self.last = time.perf_counter()

    def before_test_epoch(self, runner: Runner) -> None:
        """Start the time of the test."""
        self.last = time.perf_counter()

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Any) -> None:
        """Note the time of a batch."""
        self._evaluated("valid", outputs)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: Any, outputs: Any) -> None:
        """Note the time of a batch."""
        self._evaluated("test", outputs)

    def after_val_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Note the time of the metrics."""
        self.metrics["valid"].append(self._lap())

    def after_test_epoch(self, runner: Runner, metrics: Any = None) -> None:
        """Note the time of the metrics, and hand over all measurements."""
        self.metrics["test"].append(self._lap())
        timed = self.in_training[1:] or self.in_training  # one that is resumed may do a single step
        here, there = self.batches
        self.rehearsal.measured.append(
            Measured(
                "training", self.kind, len(timed) * here, self.steps * there, sum(timed), self.steps, there
            )
        )
        for part, often in (("valid", self.validations), ("test", 1)):
            seconds, images = self.evaluated[part]
            self._measured(part, "forward", images, often * self.sizes[part], seconds)
            took = self.metrics[part]
            self._measured(f"metrics of {part}", "host", len(took), often, sum(took))

    def _measured(self, what: str, kind: str, done: float, real: float, seconds: float) -> None:
        self.rehearsal.measured.append(Measured(what, kind, done, real, seconds))

    def _evaluated(self, part: str, outputs: Any) -> None:
        self.evaluated[part][0] += self._lap()
        self.evaluated[part][1] += len(outputs)

    def _lap(self) -> float:
        now = time.perf_counter()
        seconds, self.last = now - self.last, now
        return seconds


def shortened(
    rehearsal: Rehearsal,
    protocol: Protocol,
    train: int,
    steps: int,
    validations: int,
    sizes: Mapping[str, int],
) -> tuple[StepClock, int, int]:
    """Return a clock, the number of images per step, and the number of steps in each of :data:`ROUNDS`.

    Args:
        train: number of training images.
        steps, validations: of the real training.
        sizes: images of the real ``valid`` and ``test``.
    """
    real = min(protocol.batch_size, train)
    batch = rehearsal.batch(real)
    kind = "frozen" if protocol.frozen.get("backbone", True) else "trained"
    clock = StepClock(rehearsal, kind, (batch, real), validations, steps, sizes)
    return clock, batch, -(-rehearsal.steps(steps) // ROUNDS)


def some_images(
    rehearsal: Rehearsal, data: Mapping[str, Dataset], collectors: Mapping[str, BaseMetric]
) -> tuple[dict[str, Dataset], dict[str, BaseMetric]]:
    """Return the data sets with few images to evaluate, and collectors that take them for all."""
    fewer, whole = dict(data), dict(collectors)
    for part, collector in collectors.items():
        size = len(data[part])  # type: ignore[arg-type]  # a Dataset need not have a length; ours do
        fewer[part], whole[part] = Subset(data[part], rehearsal.rows(size)), Repeated(collector, size)
    return fewer, whole
