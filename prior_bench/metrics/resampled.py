"""Classification metrics on many resamples at once, each given by how often it contains each sample.

What does not depend on the resample, above all the order of the scores, is computed once. Values are those of
:mod:`prior_bench.metrics.classification` on the repeated samples, up to rounding: all counts are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from prior_bench.metrics.classification import Case

EXACT = 2**24
"""Largest sum of whole numbers of which float32 holds each."""


class Places(NamedTuple):
    """The M positive samples of one class among all that are known, on D resamples; float [D, M].

    Attributes:
        weight: how often the resample contains each.
        positives_below, positives_up_to: positives with a lower score; with no higher one.
        below, up_to: the same of all samples.
        positives, known: how many of both there are; float [D].
    """

    weight: np.ndarray
    positives_below: np.ndarray
    positives_up_to: np.ndarray
    below: np.ndarray
    up_to: np.ndarray
    positives: np.ndarray
    known: np.ndarray


@dataclass(frozen=True)
class Counted:
    """Resamples of a case.

    Attributes:
        case: the samples, N, with C classes.
        counts: int [D, N], how often each of D resamples contains each sample.
    """

    case: Case
    counts: np.ndarray

    @cached_property
    def weights(self) -> np.ndarray:
        """The counts for products with them, float [D, N]; sums of them are exact in this type."""
        most = int(self.counts.max(initial=0)) * self.counts.shape[1]
        return self.counts.astype(np.float32 if most <= EXACT else np.float64)

    @cached_property
    def places(self) -> list[Places]:
        """The places of the positives of each class, which need no more sorting."""
        score, target = self.case.score, self.case.target
        return [_places(score[:, c], target[:, c], self.counts) for c in range(target.shape[1])]

    def sums(self, *of: np.ndarray) -> np.ndarray:
        """Count the samples of each array ``of`` [N, C] (bool) in each resample, [D, C] or [K, D, C].

        The product is bound by reading the weights, so that K arrays at once take little longer than one.
        """
        marks = np.concatenate(of, axis=1).astype(self.weights.dtype)
        every = (self.weights @ marks).astype(np.float64)
        return every if len(of) == 1 else np.stack(np.split(every, len(of), axis=1))

    def decided(self) -> np.ndarray:
        """See :meth:`prior_bench.metrics.classification.Case.decided`; bool [D, C] or [1, C]."""
        if not self.case.exclusive:
            return self.case.decided()[None]
        classes = self.case.score.shape[1]
        return np.repeat(self.has_choice()[:, None], classes, axis=1)

    def has_choice(self) -> np.ndarray:
        """See :func:`prior_bench.metrics.class_conditions.has_choice`; bool [D]."""
        occurring = (self.sums(self.case.target == 1) > 0).sum(1)
        return (occurring >= 2) & (self.case.score.shape[1] >= 2)


def evaluate(
    case: Case, classes: tuple[str, ...], metrics: tuple[str, ...], counts: np.ndarray
) -> dict[str, np.ndarray] | None:
    """Compute metrics on resamples.

    Args:
        case: N samples with C classes.
        classes: names of the C classes.
        metrics: see :func:`prior_bench.metrics.classification.evaluate`.
        counts: int [D, N], how often each of D resamples contains each sample.

    Returns:
        Float [D] per metric and class, named and undefined as there; None if one of the metrics cannot be
        computed from counts, e.g. because it chooses a threshold on each resample.
    """
    if any(name not in METRICS for name in metrics):
        return None
    counted = Counted(case, np.asarray(counts))
    values: dict[str, np.ndarray] = {}
    for name in metrics:
        value = METRICS[name](counted)
        if value.ndim == 1:
            values[name] = value
            continue
        known = ~np.isnan(value)
        total = np.where(known, value, 0).sum(1)
        values[name] = _ratio(total, known.sum(1), known.any(1))
        values |= {f"{name}/{c}": value[:, k] for k, c in enumerate(classes)}
    return values


def auroc(counted: Counted) -> np.ndarray:
    """Compute the area under the ROC curve, [D, C]: pairs that are in order, ties one half."""

    def area(one: Places) -> np.ndarray:
        below = one.below - one.positives_below
        up_to = one.up_to - one.positives_up_to
        return (one.weight * (below + up_to)).sum(1) / 2 / (one.known - one.positives)

    return _by_class(counted, area)


def auprc(counted: Counted) -> np.ndarray:
    """Compute the average precision, [D, C]: the mean precision at the places of the positives."""

    def average(one: Places) -> np.ndarray:
        hits = one.positives[:, None] - one.positives_below
        return (one.weight * hits / np.maximum(one.known[:, None] - one.below, 1)).sum(1)

    return _by_class(counted, average)


def _by_class(counted: Counted, of: Callable[[Places], np.ndarray]) -> np.ndarray:
    """Compute the mean over positives of each class, [D, C]; NaN where a resample lacks one of the labels."""
    values = np.full((len(counted.counts), len(counted.places)), np.nan)
    for c, one in enumerate(counted.places):
        both = (one.positives > 0) & (one.positives < one.known)
        with np.errstate(invalid="ignore", divide="ignore"):
            values[:, c] = np.where(both, of(one) / one.positives, np.nan)
    return values


def _places(score: np.ndarray, target: np.ndarray, counts: np.ndarray) -> Places:
    """Sort the known samples of one class by score, once, and count up to each positive in each resample."""
    known = np.flatnonzero(~np.isnan(target))
    order = known[np.argsort(score[known], kind="stable")]
    ranked, positive = score[order], np.flatnonzero(target[order] == 1)
    starts, ends = (np.searchsorted(ranked, ranked[positive], side=side) for side in ("left", "right"))
    drawn = np.take(counts, order, axis=1)
    weight = drawn[:, positive]
    every, positives = _cumulated(drawn), _cumulated(weight)
    return Places(
        weight.astype(np.float64),
        np.take(positives, np.searchsorted(positive, starts), axis=1),
        np.take(positives, np.searchsorted(positive, ends), axis=1),
        np.take(every, starts, axis=1),
        np.take(every, ends, axis=1),
        positives[:, -1].astype(np.float64),
        every[:, -1].astype(np.float64),
    )


def _cumulated(counts: np.ndarray) -> np.ndarray:
    """Return the sums of the first 0, 1, … M counts, [D, M + 1]."""
    sums = np.zeros((len(counts), counts.shape[1] + 1), dtype=np.int64)
    np.cumsum(counts, axis=1, out=sums[:, 1:])
    return sums


def _confusion(counted: Counted, decisions: np.ndarray) -> np.ndarray:
    """See :func:`prior_bench.metrics.classification.confusion`; [4, D, C]."""
    positive, negative = counted.case.target == 1, counted.case.target == 0
    return counted.sums(
        decisions & positive, decisions & negative, ~decisions & positive, ~decisions & negative
    )


def f1(counted: Counted, decisions: np.ndarray) -> np.ndarray:
    """Compute F1, [D, C]; NaN without positives."""
    tp, fp, fn, _ = _confusion(counted, decisions)
    return _ratio(2 * tp, 2 * tp + fp + fn, tp + fn > 0)


def precision(counted: Counted, decisions: np.ndarray) -> np.ndarray:
    """Compute the precision, [D, C]; NaN without positives."""
    tp, fp, fn, _ = _confusion(counted, decisions)
    return _ratio(tp, tp + fp, tp + fn > 0)


def recall(counted: Counted, decisions: np.ndarray) -> np.ndarray:
    """Compute the recall, [D, C]; NaN without positives."""
    tp, _, fn, _ = _confusion(counted, decisions)
    return _ratio(tp, tp + fn, tp + fn > 0)


def accuracy(counted: Counted, decisions: np.ndarray) -> np.ndarray:
    """Compute the share of known entries that are decided correctly, [D, C]."""
    tp, fp, fn, tn = _confusion(counted, decisions)
    return _ratio(tp + tn, tp + fp + fn + tn, tp + fp + fn + tn > 0)


def top1_accuracy(counted: Counted) -> np.ndarray:
    """Compute the share of samples whose highest score is on the true class, [D]; NaN without a choice."""
    case = counted.case
    right = case.target[np.arange(len(case.score)), case.score.argmax(1)] == 1
    found, total = counted.sums(np.stack([right, np.ones_like(right)], axis=1)).T
    return _ratio(found, total, counted.has_choice())


def cohen_kappa(counted: Counted) -> np.ndarray:
    """Compute Cohen's kappa of the argmax and the true class, [D]; NaN if undefined."""
    case = counted.case
    predicted, true = case.score.argmax(1), case.target.argmax(1)
    every = np.eye(case.score.shape[1], dtype=bool)
    total, right = counted.sums(np.stack([np.ones_like(predicted), predicted == true], axis=1)).T
    by_luck = (counted.sums(every[predicted]) * counted.sums(every[true])).sum(1) / np.maximum(total, 1) ** 2
    agreed = right / np.maximum(total, 1)
    return _ratio(agreed - by_luck, 1 - by_luck, counted.has_choice() & (by_luck != 1))


def _of_decisions(metric: Callable[[Counted, np.ndarray], np.ndarray]) -> Callable[[Counted], np.ndarray]:
    return lambda counted: np.where(counted.decided(), metric(counted, counted.case.decisions()), np.nan)


def _accuracy(counted: Counted) -> np.ndarray:
    if counted.case.exclusive:
        return top1_accuracy(counted)
    return accuracy(counted, counted.case.score >= 0.5)


METRICS: dict[str, Callable[[Counted], np.ndarray]] = {
    "auroc": auroc,
    "auprc": auprc,
    "accuracy": _accuracy,
    "f1": _of_decisions(f1),
    "precision": _of_decisions(precision),
    "recall": _of_decisions(recall),
    "kappa": cohen_kappa,
    "accuracy_at_threshold": _of_decisions(accuracy),
    "f1_at_half": lambda counted: f1(counted, counted.case.score >= 0.5),
}
"""The metrics of :data:`prior_bench.metrics.classification.METRICS` that are computed from counts."""


def _ratio(above: np.ndarray, below: np.ndarray, defined: np.ndarray) -> np.ndarray:
    safe = np.where(below == 0, 1, below)
    return np.where(defined, above / safe, np.nan)
