"""The choice of the epoch whose weights are the result of a run; it depends only on the run's history.

Therefore, a run that was killed and resumed chooses the same epoch as an uninterrupted run. The weights of
each epoch that may still be chosen are kept in a file in the run's folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from prior_bench.api import Metric
from prior_bench.errors import BenchError
from prior_bench.metrics import classification, retrieval
from prior_bench.pretraining.config import PretrainConfig
from prior_bench.pretraining.folder import BEST, epoch_of, states

DESCRIBED: dict[str, Metric] = {
    **{f"recall_at_{k}": retrieval.DESCRIBED[f"recall_at_{k}"] for k in retrieval.KS},
    "median_rank": retrieval.DESCRIBED["median_rank"],
    "auroc": classification.DESCRIBED["auroc"],
    "accuracy": classification.DESCRIBED["accuracy"],
}
"""Validation metrics by which an epoch can be chosen."""

OF_PROMPTS = ("auroc", "accuracy")
"""Validation metrics that need prompts."""

VALID = "valid/"
"""Prefix of a metric's name in the history."""


class ChosenEpoch(NamedTuple):
    """The chosen epoch, counted from 1, and its value of the metric by which it is chosen."""

    epoch: int
    value: float


def best_epoch(history: Sequence[dict[str, float]], config: PretrainConfig) -> ChosenEpoch | None:
    """Return the best validated epoch of the last stage, the first of equal ones; None if there is none.

    Epochs of earlier stages do not count, because the stages of a method cannot be compared.
    """
    metric, ends = config.choose, config.schedule.ends
    if metric is None:
        return None
    first = 1 + (ends[-2] if len(ends) > 1 else 0)
    sign = 1 if DESCRIBED[metric].higher_is_better else -1
    found = [
        ChosenEpoch(int(epoch["epoch"]), epoch[VALID + metric])
        for epoch in history
        if epoch["epoch"] >= first and VALID + metric in epoch
    ]
    return max(found, key=lambda one: (sign * one.value, -one.epoch), default=None)


def in_words(chosen: ChosenEpoch, config: PretrainConfig) -> str:
    """Describe the choice in words, such as ``epoch 7 of 10, chosen by validation Recall@5 0.410``."""
    metric = DESCRIBED[str(config.choose)]
    value = f"{chosen.value:.3f}" if metric.scale != 1 else f"{chosen.value:g}"
    epoch = f"epoch {chosen.epoch} of {config.schedule.ends[-1]}"
    return f"{epoch}, chosen by validation {metric.heading} {value}"


def best_file(work_dir: Path, chosen: ChosenEpoch) -> Path:
    """Return the path of the weights of a chosen epoch."""
    return work_dir / BEST.format(chosen.epoch)


def require_best(work_dir: Path, chosen: ChosenEpoch) -> Path:
    """Return the path of the weights of a chosen epoch, which must exist.

    Raises:
        BenchError: the file was removed.
    """
    file = best_file(work_dir, chosen)
    if not file.is_file():
        raise BenchError("the weights of the best epoch are gone", where=file, fix="start over: --no-resume")
    return file


def forget_others(work_dir: Path, history: Sequence[dict[str, float]], config: PretrainConfig) -> None:
    """Remove kept weights that can no longer be chosen.

    A run can be resumed from any state in its folder, and then chooses among the epochs up to this state.
    Therefore, the best epoch up to each state is kept.
    """
    lengths = [len(history), *(epoch_of(state) for state in states(work_dir))]
    best = [best_epoch(history[:length], config) for length in lengths]
    needed = {best_file(work_dir, one) for one in best if one is not None}
    for file in work_dir.glob(BEST.format("*")):
        if file not in needed:
            file.unlink(missing_ok=True)
