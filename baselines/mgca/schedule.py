"""The schedule of MGCA's prototypes during training."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from prior_bench.pretraining.hooks import method_of


class FreezePrototypes(Hook):
    """Hook that freezes the prototypes in the first epochs, as SwAV does.

    Args:
        epochs: number of these epochs; 1 in the paper.
    """

    def __init__(self, epochs: int = 1):
        self.epochs = epochs

    def before_train_epoch(self, runner: Any) -> None:
        """Freeze or release the prototypes."""
        method_of(runner).prototypes_frozen = runner.epoch < self.epochs
