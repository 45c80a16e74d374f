"""Hooks of the Runner: exact resumption, best weights, early stopping, a frozen start, a progress bar."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from prior_bench.io.atomic import whole_file
from prior_bench.losses.gather import rank
from prior_bench.runtime import progress, seed_everything

LATEST, BEST = "latest.pth", "best.pth"
HISTORY = "validation_history"
"""Key of the history in mmengine's MessageHub, and therefore in each checkpoint."""


class Reseed(Hook):
    """Hook that seeds all random generators at the start of each round, because mmengine does not save their
    state.

    Args:
        seed: seed of the run.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed by the run's seed and the round, so that a resumed run equals an uninterrupted one."""
        seed_everything(self.seed + 1_000_003 * (runner.epoch + 1))


class Validated(Hook):
    """Hook that records each validation, saves the best and the latest weights, and stops early.

    Unlike mmengine's CheckpointHook and EarlyStoppingHook, it replaces checkpoints atomically and keeps its
    patience after an interruption.

    Args:
        monitor: metric that decides; higher is better, NaN is worst.
        patience: number of validations without improvement after which training stops; None for never.
        min_delta: an improvement that is not larger than this does not count for ``patience``.
    """

    priority = "VERY_LOW"

    def __init__(self, monitor: str, patience: int | None, min_delta: float = 0.0):
        self.monitor, self.patience, self.min_delta = monitor, patience, min_delta

    def before_train(self, runner: Runner) -> None:
        """Do not continue training if the interrupted run had already stopped early."""
        runner.train_loop.stop_training = self._is_over(validation_history(runner))

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Record the round, save weights, and decide whether to stop."""
        before = validation_history(runner)
        steps = runner.iter - (before[-1]["iteration"] if before else 0)
        loss = runner.message_hub.get_scalar("train/loss").mean(int(steps))
        entry = {"epoch": runner.epoch, "iteration": runner.iter, "loss": float(loss), **(metrics or {})}
        history = [*before, entry]
        runner.message_hub.update_info(HISTORY, history)
        if self._best(history) == len(history) - 1:
            save(runner, BEST, optimizer=False)
        save(runner, LATEST)
        runner.train_loop.stop_training = self._is_over(history)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Remove everything that torch's default loading, weights only, would refuse."""
        history = {HISTORY: validation_history(runner)}
        checkpoint["message_hub"] = dict(log_scalars={}, runtime_info=history, resumed_keys={HISTORY: True})

    def _best(self, history: list[dict[str, float]]) -> int:
        values = self._values(history)
        return values.index(max(values))

    def _values(self, history: list[dict[str, float]]) -> list[float]:
        values = [entry[self.monitor] for entry in history]
        return [-math.inf if math.isnan(value) else value for value in values]

    def _is_over(self, history: list[dict[str, float]]) -> bool:
        if self.patience is None or not history:
            return False
        (best, *later), waited = self._values(history), 0
        for value in later:
            if value - self.min_delta > best:
                best, waited = value, 0
            else:
                waited += 1
        return waited >= self.patience


class FrozenStart(Hook):
    """Hook that freezes the backbone in the first steps, with its BatchNorm in evaluation mode, as LoVT does.

    The rest of the epoch in which these steps end trains the weights with BatchNorm still in evaluation mode,
    because mmengine changes the mode at the start of an epoch.

    Args:
        steps: number of steps.
    """

    def __init__(self, steps: int):
        self.steps = steps

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Freeze the backbone, or let it be trained from the first step after."""
        if runner.iter <= self.steps:
            runner.model.backbone.requires_grad_(runner.iter == self.steps)
        if runner.iter < self.steps:
            runner.model.backbone.eval()


class ProgressBar(Hook):
    """Hook that shows a progress bar over the training iterations, with the remaining time.

    Args:
        what: text before the bar.
    """

    def __init__(self, what: str):
        self.what = what
        self.bar: Any = None

    def before_train(self, runner: Runner) -> None:
        """Start the bar at the current iteration."""
        self.bar = progress((), self.what, total=runner.max_iters)
        self.bar.update(runner.iter)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Advance the bar by one step."""
        self.bar.update(1)

    def after_train(self, runner: Runner) -> None:
        """Clear the line."""
        self.bar.close()


def validation_history(runner: Runner) -> list[dict[str, float]]:
    """Return one dict per validation so far: epoch, iteration, loss and the metrics."""
    return list(runner.message_hub.get_info(HISTORY, []))


def save(runner: Runner, name: str, optimizer: bool = True) -> None:
    """Write a checkpoint called ``name`` to the work dir; it appears complete or not at all.

    Of several processes, the first one writes.
    """
    if rank() != 0:
        return
    with whole_file(Path(runner.work_dir) / name) as fresh:
        runner.save_checkpoint(
            runner.work_dir,
            fresh.name,
            save_optimizer=optimizer,
            save_param_scheduler=optimizer,
            meta=dict(epoch=runner.epoch, iter=runner.iter),
        )
