"""Hooks that change PRIOR's sentence prototypes during training, in addition to the optimiser."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import broadcast, is_main_process
from mmengine.hooks import Hook
from torch import Tensor

from prior_bench.errors import BenchError
from prior_bench.pretraining.hooks import first_epoch, method_of
from prior_bench.prior.bank_start import start_from
from prior_bench.prior.prototypes import temperature_at
from prior_bench.runtime import progress

STAGE = 2
"""First stage in which prototypes are used."""


class PrototypeTemperature(Hook):
    """Hook that lowers the temperature of the prototypes' Gumbel-softmax over the epochs that use them.

    The released code has three schedules. It trains with the fixed one, although its experiment is named
    after the exponential one.

    Args:
        schedule: see :func:`prior_bench.prior.prototypes.temperature_at`.
        start: temperature at the start.
    """

    def __init__(self, schedule: str = "exp", start: float = 0.9):
        self.schedule, self.start = schedule, start
        temperature_at(0, 1, start, schedule)  # raises an error for an unknown schedule before training

    def before_train_epoch(self, runner: Any) -> None:
        """Set the temperature, which depends only on the epoch."""
        first = first_epoch(runner, STAGE)
        steps = max(runner.max_epochs - 1 - first, 1)
        step = min(max(runner.epoch - first, 0), steps)
        value = temperature_at(step, steps, self.start, self.schedule)
        _bank(runner).temperature.fill_(value)


class PrototypesFromSentences(Hook):
    """Hook that initialises the prototypes from the sentences of training reports at the start of stage 2.

    This is not in PRIOR; codebooks are initialised from data in the same way (Łańcucki et al. 2020, arXiv
    2005.08520). Prototypes that are initialised with noise are far from all sentences, and a short training
    uses only a few of them. The prototypes are directions of k-means centres with the same length, because
    sentences are assigned by dot product, in which a longer prototype wins over a nearer one.
    :mod:`prior_bench.prior.bank_start` chooses the length.

    Args:
        reports: largest number of reports that are read.
        batch_size: reports per forward pass.
    """

    version = 2
    """2: all prototypes have the same length; 1: prototypes are the centres of k-means."""

    def __init__(self, reports: int = 2000, batch_size: int = 64):
        self.reports, self.batch_size = reports, batch_size

    def before_train_epoch(self, runner: Any) -> None:
        """Replace the prototypes with the directions of K clusters of sentences."""
        if runner.epoch != first_epoch(runner, STAGE):
            return
        bank = _bank(runner)
        weight = bank.embed.weight.data
        if is_main_process():
            sentences = self._sentences(runner).float().cpu()
            weight.copy_(start_from(sentences, len(weight), float(bank.temperature), runner.seed))
        broadcast(weight)

    @torch.no_grad()
    def _sentences(self, runner: Any) -> Tensor:
        """Return the projected sentences [n, D] of the reports."""
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
