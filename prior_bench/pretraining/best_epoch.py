"""Which epoch's weights are the result of a run that chooses: a function of its history alone.

So a run that was killed and continued chooses as an undisturbed one does. Weights of an epoch that may still
be chosen are kept in the run's folder, each in a file of its own.
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
"""Metrics of validation, which can choose an epoch."""

OF_PROMPTS = ("auroc", "accuracy")
"""Those of them that need prompts."""

VALID = "valid/"
"""Before the name of a metric in the history."""


class ChosenEpoch(NamedTuple):
    """The epoch, from 1, whose weights are kept, and its value of the metric that chooses."""

    epoch: int
    value: float


def best_epoch(history: Sequence[dict[str, float]], config: PretrainConfig) -> ChosenEpoch | None:
    """The best validated epoch of the last stage, the first of equals; None where there is none yet.

    Epochs of earlier stages do not count: a method is something else in each of its stages.
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
    """The choice for people: ``epoch 7 of 10, chosen by validation Recall@5 0.410``."""
    metric = DESCRIBED[str(config.choose)]
    value = f"{chosen.value:.3f}" if metric.scale != 1 else f"{chosen.value:g}"
    epoch = f"epoch {chosen.epoch} of {config.schedule.ends[-1]}"
    return f"{epoch}, chosen by validation {metric.heading} {value}"


def best_file(work_dir: Path, chosen: ChosenEpoch) -> Path:
    """Where the weights of an epoch are kept."""
    return work_dir / BEST.format(chosen.epoch)


def require_best(work_dir: Path, chosen: ChosenEpoch) -> Path:
    """The same, where the file is there.

    Raises:
        BenchError: somebody has removed it.
    """
    file = best_file(work_dir, chosen)
    if not file.is_file():
        raise BenchError("the weights of the best epoch are gone", where=file, fix="start over: --no-resume")
    return file


def forget_others(work_dir: Path, history: Sequence[dict[str, float]], config: PretrainConfig) -> None:
    """Remove kept weights that no continuation can choose.

    A run may continue from any state in its folder, and then chooses among the epochs up to it; so the best
    up to each state is kept.
    """
    lengths = [len(history), *(epoch_of(state) for state in states(work_dir))]
    best = [best_epoch(history[:length], config) for length in lengths]
    needed = {best_file(work_dir, one) for one in best if one is not None}
    for file in work_dir.glob(BEST.format("*")):
        if file not in needed:
            file.unlink(missing_ok=True)
