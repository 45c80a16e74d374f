"""What happens to PRIOR's sentence prototypes while it trains, besides learning."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from torch import Tensor

from prior_bench.errors import BenchError
from prior_bench.pretraining.hooks import first_epoch, method_of
from prior_bench.prior.prototypes import temperature_at
from prior_bench.runtime import progress

STAGE = 2
"""With which prototypes are used."""


class PrototypeTemperature(Hook):
    """Lowers the temperature of the prototypes' Gumbel-softmax over the epochs that use them.

    The released code has three schedules and trains with the fixed one, though its experiment is named
    after the exponential one.

    Args:
        schedule: see :func:`prior_bench.prior.prototypes.temperature_at`.
        start: of the temperature.
    """

    def __init__(self, schedule: str = "exp", start: float = 0.9):
        self.schedule, self.start = schedule, start
        temperature_at(0, 1, start, schedule)  # an unknown schedule is found before training

    def before_train_epoch(self, runner: Any) -> None:
        """Set the temperature of the epoch; the epoch alone determines it."""
        first = first_epoch(runner, STAGE)
        steps = max(runner.max_epochs - 1 - first, 1)
        step = min(max(runner.epoch - first, 0), steps)
        value = temperature_at(step, steps, self.start, self.schedule)
        _bank(runner).temperature.fill_(value)


class PrototypesFromSentences(Hook):
    """Starts the prototypes from the training reports' sentences, instead of from noise, as stage 2 begins.

    Ours: as codebooks are started from data (Łańcucki et al. 2020, arXiv 2005.08520). Prototypes that start
    as noise lie far from all sentences; a short training only finds a few of them again.

    Args:
        reports: how many are read, at most.
        batch_size: reports per forward pass.
    """

    def __init__(self, reports: int = 2000, batch_size: int = 64):
        self.reports, self.batch_size = reports, batch_size

    def before_train_epoch(self, runner: Any) -> None:
        """Replace the prototypes by the centres of K clusters of sentences."""
        if runner.epoch != first_epoch(runner, STAGE):
            return
        weight = _bank(runner).embed.weight.data
        if is_main_process():
            weight.copy_(self._centres(runner, len(weight)))
        broadcast(weight)

    def _centres(self, runner: Any, count: int) -> Tensor:
        from sklearn.cluster import KMeans

        sentences = self._sentences(runner).float().cpu()
        if len(sentences) < count:
            raise BenchError(
                f"{len(sentences)} sentences in the reports that are read, for {count} prototypes",
                where=type(self).__name__,
                fix="read more reports, or take fewer prototypes",
            )
        clusters = KMeans(count, n_init=1, random_state=runner.seed).fit(sentences.numpy())
        return torch.from_numpy(clusters.cluster_centers_)

    @torch.no_grad()
    def _sentences(self, runner: Any) -> Tensor:
        """Projected sentences [n, D] of the reports."""
        method, dataset = method_of(runner), runner.train_dataloader.dataset
        reports = [dataset.draw_text(runner.epoch, i) for i in range(min(self.reports, len(dataset)))]
        device, training, found = method.logit_scale.device, method.training, []
        method.eval()
        starts = range(0, len(reports), self.batch_size)
        for start in progress(starts, "sentences for the prototypes", len(starts)):
            text = method.text_encoder.tokenizer(reports[start : start + self.batch_size]).to(device)
            sentences, mask = method.sentences(method.text_encoder(text).tokens, text.sentence_index)
            found.append(sentences[mask])
        method.train(training)
        return torch.cat(found)


def _bank(runner: Any) -> Any:
    bank = method_of(runner).sentence_bank
    if bank is None:
        raise BenchError("this PRIOR has no prototypes", where="hooks", fix="leave the prototypes' hooks out")
    return bank
