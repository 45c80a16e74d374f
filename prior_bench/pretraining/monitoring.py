"""The hook that monitors a training run: validation, health values and the choice of the epoch."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from prior_bench.errors import BenchError
from prior_bench.pretraining.best_epoch import (
    DESCRIBED,
    VALID,
    best_epoch,
    best_file,
    forget_others,
)
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.health import (
    TrainingWarning,
    over_chance,
    temperatures,
    warnings_of,
)
from prior_bench.pretraining.hooks import History, method_of
from prior_bench.pretraining.validation import Measurement

LOG = logging.getLogger(__name__)
SHOWN = ("recall_at_1", "recall_at_5", "recall_at_10", "auroc", "accuracy")
"""Metrics in the line that a validation prints."""


class Monitor(Hook):
    """Hook that measures at the end of an epoch, in one process, and adds the values to the history.

    It does not affect training.

    Args:
        config: config of the run.
        history: hook that stores the values.
        work_dir: folder of the run.
        measure: function that returns the values of a validation; None without validation.
        save: function that writes the current weights to a file in the folder, by name.
    """

    priority = "BELOW_NORMAL"  # after the history has the epoch's losses, before the stages' weights are kept

    def __init__(
        self,
        config: PretrainConfig,
        history: History,
        work_dir: Path,
        measure: Measurement | None,
        save: Callable[[str], None],
    ):
        self.config, self.history, self.work_dir = config, history, work_dir
        self.measure, self.save = measure, save

    @property
    def warnings(self) -> list[TrainingWarning]:
        """All warnings up to now."""
        return warnings_of(self.history.epochs, self.config.schedule)

    def before_train(self, runner: Any) -> None:
        """Print the reason if there are no held-out patients to validate on."""
        if is_main_process() and self.measure and self.measure.why:
            print(f"{self._label}no validation: {self.measure.why}", file=sys.stderr)

    def before_train_epoch(self, runner: Any) -> None:
        """Remove weights that can no longer be chosen; by now, the state of the last epoch has been saved."""
        if self.config.choose and is_main_process():
            forget_others(self.work_dir, self.history.epochs, self.config)

    def after_train_epoch(self, runner: Any) -> None:
        """Measure, add the values to the history, print new warnings, and keep the best epoch's weights."""
        if not is_main_process():
            return
        epoch, method = runner.epoch + 1, method_of(runner)
        values = temperatures(method)
        values |= over_chance(method, self.history.epochs[-1], self.config.batch_size)
        validation, ends = self.config.validation, self.config.schedule.ends
        if self.config.schedule.stages:
            values["stage"] = 1 + sum(end < epoch for end in ends)
        if self.measure and validation and (epoch % validation.interval == 0 or epoch in ends):
            start = time.monotonic()
            values |= self.measure()
            values["validation_seconds"] = round(time.monotonic() - start, 2)
            self._say(epoch, values)
        self.history.add(values)
        runner.visualizer.add_scalars({k: v for k, v in values.items() if "/" in k}, step=epoch)
        for warning in self.warnings:
            if warning.epoch == epoch:
                print(f"warning: {self._label}{warning}", file=sys.stderr)
                runner.logger.warning(str(warning))
                LOG.info("warning after epoch %d: %s", epoch, warning)  # it is on stderr already
        self._keep(epoch, values)

    @property
    def _label(self) -> str:
        return f"{self.history.label} " if self.history.label else ""

    def _say(self, epoch: int, values: dict[str, float]) -> None:
        found = [(DESCRIBED[n].heading, values[VALID + n]) for n in SHOWN if VALID + n in values]
        if found:
            told = "  ".join(f"{heading} {value:.3f}" for heading, value in found)
            done = f"{self._label}epoch {epoch}/{self.config.schedule.ends[-1]} validation"
            print(f"{done}  {told}  {values['validation_seconds']:.1f} s", file=sys.stderr)

    def _keep(self, epoch: int, values: dict[str, float]) -> None:
        metric = self.config.choose
        if metric is None:
            return
        if "validation_seconds" in values and VALID + metric not in values:
            raise BenchError(
                f"{metric} is undefined on the held-out patients: no class has both labels",
                where="validation.choose",
                fix="choose by recall_at_5, or validate on more pairs",
            )
        best = best_epoch(self.history.epochs, self.config)
        if best is not None and best.epoch == epoch:
            self.save(best_file(self.work_dir, best).name)
