"""Does a loss look at the pair? Each loss term with the right and with a wrong image for every report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from prior_bench.api import Backbone, Method, PretrainBatch, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.explain.inputs import report_of, tokenised
from prior_bench.features.extract import Feed, evaluating, image_batches
from prior_bench.pictures.choice import spread
from prior_bench.statistics.bootstrap import interval

BATCH = 16
"""Pairs per batch, all of different patients; contrastive losses depend on it."""

NOISE_SEED = 0
"""Seed of what a loss draws: the same for right and wrong partners, so that they differ in the pairs only."""

PREFIX = "loss_"


@dataclass(frozen=True)
class PartnerLoss:
    """One loss term with right and with wrong partners: means over batches.

    Attributes:
        term: name of the term, without ``loss_``.
        own: mean value with each report's own image.
        other: mean value with another patient's image.
        rise: ``other - own``.
        rise_interval: 95 % bootstrap interval of ``rise`` over batches.
        batches: number of batches.
    """

    term: str
    own: float
    other: float
    rise: float
    rise_interval: tuple[float, float]
    batches: int

    @property
    def verdict(self) -> str:
        """In words, whether the term is larger with a wrong partner."""
        low, high = self.rise_interval
        if not np.isfinite([low, high]).all():
            return "not tested"
        if low > 0:
            return "depends on the pair"
        return "lower with a wrong partner" if high < 0 else "does not depend on the pair"


def partner_losses(
    backbone: Backbone, data: Manifest, context: RunContext, at_most: int = 200
) -> list[PartnerLoss]:
    """Compare the loss terms of a backbone's method with right and with wrong partners.

    Within each batch the images move on by one place, so that every report gets another patient's image.
    Swapping the reports instead gives the same pairs. The method is in evaluation mode.

    Args:
        data: images with reports; the first one of each patient is used.
        at_most: largest number of images, evenly spaced.

    Returns:
        One entry per term of the method's loss, in its order; empty with fewer than two patients, and for
        a method without a loss, such as a wrapped model that is only evaluated.
    """
    if not hasattr(backbone.text_method, "loss"):
        return []
    rows = np.flatnonzero(~data.table["patient_id"].astype(str).duplicated()).tolist()
    own: dict[str, list[float]] = {}
    other: dict[str, list[float]] = {}
    method = backbone.text_method
    with evaluating(method, context.device):
        for batch in _batches(backbone, data.select(np.array(spread(rows, at_most), int)), context):
            wrong = batch._replace(images=batch.images.roll(1, dims=0))
            for pairs, found in ((batch, own), (wrong, other)):
                for term, value in _terms(method, pairs).items():
                    found.setdefault(term, []).append(value)
    return [_compared(term, np.array(values), np.array(other[term])) for term, values in own.items()]


def partner_arrays(losses: list[PartnerLoss]) -> dict[str, np.ndarray]:
    """Turn the losses of T terms into arrays for a task's predictions; without losses there are none.

    They are ``meta_partner_term`` str [T], ``meta_partner_loss`` [T, 5] with the columns own, other, rise and
    the two bounds of the rise, and ``meta_partner_verdict`` str [T].
    """
    if not losses:
        return {}
    numbers = [(p.own, p.other, p.rise, *p.rise_interval) for p in losses]
    return {
        "meta_partner_term": np.array([p.term for p in losses]),
        "meta_partner_loss": np.array(numbers),
        "meta_partner_verdict": np.array([p.verdict for p in losses]),
    }


def _batches(backbone: Backbone, data: Manifest, context: RunContext) -> Iterator[PretrainBatch]:
    """Yield batches of one size, so that all have the same number of negatives."""
    size = min(BATCH, len(data))
    kept = data.select(np.arange(len(data) - len(data) % size)) if size > 1 else data.select(np.arange(0))
    waiting: list[tuple[Tensor, int]] = []
    for images, rows in image_batches(kept, Feed(backbone.input), context, f"wrong partners on {data.name}"):
        waiting += zip(images, rows, strict=True)
        while len(waiting) >= size:
            some, waiting = waiting[:size], waiting[size:]
            reports = [report_of(kept, int(row)) for _, row in some]
            text = tokenised(backbone.text_method, reports, context.device)
            yield PretrainBatch(torch.stack([image for image, _ in some]), text)


def _terms(method: Method, batch: PretrainBatch) -> dict[str, float]:
    devices = [batch.images.device] if batch.images.is_cuda else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(NOISE_SEED)
        losses = method.loss(batch)
    return {
        name.removeprefix(PREFIX): float(value) for name, value in losses.items() if name.startswith(PREFIX)
    }


def _compared(term: str, own: np.ndarray, other: np.ndarray) -> PartnerLoss:
    columns = {"batch": np.arange(len(own)), "rise": other - own}
    bounds = interval(lambda some: {"rise": float(some["rise"].mean())}, columns, group="batch")["rise"]
    means = float(own.mean()), float(other.mean())
    return PartnerLoss(term, *means, means[1] - means[0], bounds, len(own))
