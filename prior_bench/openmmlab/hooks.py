"""Hooks of the Runner: exact resumption, best weights, early stopping, a progress bar."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from prior_bench.io.atomic import whole_file
from prior_bench.runtime import progress, seed_everything

LATEST, BEST = "latest.pth", "best.pth"
HISTORY = "validation_history"
"""Key under which mmengine's MessageHub, and so each checkpoint, holds the history."""


class Reseed(Hook):
    """Seeds all random generators at the start of each round, as mmengine does not save their state.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def before_train_epoch(self, runner: Runner) -> None:
        """Depends on the seed and the round alone, so that a resumed run repeats an undisturbed one."""
        seed_everything(self.seed + 1_000_003 * (runner.epoch + 1))


class Validated(Hook):
    """After each validation: records it, keeps the best and the latest weights, stops without progress.

    Unlike mmengine's CheckpointHook and EarlyStoppingHook, checkpoints replace each other atomically and
    the patience survives an interruption.

    Args:
        monitor: the metric that decides; higher is better, NaN is worst.
        patience: validations without improvement after which training stops; None for never.
    """

    priority = "VERY_LOW"

    def __init__(self, monitor: str, patience: int | None):
        self.monitor, self.patience = monitor, patience

    def before_train(self, runner: Runner) -> None:
        """Do not continue with a run that was interrupted after it had stopped."""
        runner.train_loop.stop_training = self._is_over(validation_history(runner))

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the round down."""
        loss = runner.message_hub.get_scalar("train/loss").mean(len(runner.train_dataloader))
        entry = {"epoch": runner.epoch, "iteration": runner.iter, "loss": float(loss), **(metrics or {})}
        history = [*validation_history(runner), entry]
        runner.message_hub.update_info(HISTORY, history)
        if self._best(history) == len(history) - 1:
            save(runner, BEST, optimizer=False)
        save(runner, LATEST)
        runner.train_loop.stop_training = self._is_over(history)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Leave nothing in the file that torch's weights-only loading, the default, refuses."""
        history = {HISTORY: validation_history(runner)}
        checkpoint["message_hub"] = dict(log_scalars={}, runtime_info=history, resumed_keys={HISTORY: True})

    def _best(self, history: list[dict[str, float]]) -> int:
        values = [entry[self.monitor] for entry in history]
        values = [-math.inf if math.isnan(value) else value for value in values]
        return values.index(max(values))

    def _is_over(self, history: list[dict[str, float]]) -> bool:
        if self.patience is None or not history:
            return False
        return len(history) - 1 - self._best(history) >= self.patience


class ProgressBar(Hook):
    """A bar over the iterations of the training, with the remaining time.

    Args:
        what: shown before the bar.
    """

    def __init__(self, what: str):
        self.what = what
        self.bar: Any = None

    def before_train(self, runner: Runner) -> None:
        """Start where a resumed run starts."""
        self.bar = progress((), self.what, total=runner.max_iters)
        self.bar.update(runner.iter)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """One step."""
        self.bar.update(1)

    def after_train(self, runner: Runner) -> None:
        """Clear the line."""
        self.bar.close()


def validation_history(runner: Runner) -> list[dict[str, float]]:
    """One dict per validation so far: epoch, iteration, loss and the metrics."""
    return list(runner.message_hub.get_info(HISTORY, []))


def save(runner: Runner, name: str, optimizer: bool = True) -> None:
    """Write a checkpoint into the work dir under ``name``, whole or not at all."""
    with whole_file(Path(runner.work_dir) / name) as fresh:
        runner.save_checkpoint(
            runner.work_dir,
            fresh.name,
            save_optimizer=optimizer,
            save_param_scheduler=optimizer,
            meta=dict(epoch=runner.epoch, iter=runner.iter),
        )
