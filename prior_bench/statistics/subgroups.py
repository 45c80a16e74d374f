"""Performance by group of the test images, and the gap between groups, with intervals and a permutation test.

A group is a row of weights over the test images: 1 for its members, or how often a resample drew them. All
groups are measured on the same resample, so that their differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

METRICS = ("auroc", "fnr", "fpr", "underdiagnosis")
"""Measured quantities. ``fnr`` and ``fpr``: share of missed positives, and of negatives that are called
positive, at the stored thresholds. ``underdiagnosis``: share of the images with a finding that are called
free of findings (Seyyed-Kalantari et al., Nature Medicine 27 (2021) 2176-2182: the false positive rate of
"No Finding")."""

HIGHER_IS_BETTER = {"auroc": True, "fnr": False, "fpr": False, "underdiagnosis": False}


class GroupMeasure:
    """The performance of one run in any number of groups, as means over the classes.

    Args:
        score: [N, C], higher means more likely.
        target: [N, C]; 1, 0, or NaN for unknown, which never counts.
        decisions: bool [N, C], at the thresholds; None if there are none.
        healthy: whether each image is called free of findings, bool [N]; None where this is not decided.
        ill: whether each image has a finding, bool [N]; used with ``healthy``.
    """

    def __init__(
        self,
        score: np.ndarray,
        target: np.ndarray,
        decisions: np.ndarray | None = None,
        healthy: np.ndarray | None = None,
        ill: np.ndarray | None = None,
    ):
        self._ranked = [_Ranked(score[:, c], target[:, c]) for c in range(score.shape[1])]
        positive, negative = (target == 1).astype(float), (target == 0).astype(float)
        self._rates = []
        if decisions is not None:
            self._rates = [("fnr", positive, ~decisions), ("fpr", negative, decisions)]
        if healthy is not None and ill is not None:
            self._rates.append(("underdiagnosis", ill.astype(float)[:, None], healthy[:, None]))

    def __call__(self, weights: np.ndarray) -> dict[str, np.ndarray]:
        """Return each quantity, float [G]; NaN for a group in which it is undefined.

        Args:
            weights: float [G, N], the weight of each image in each group.
        """
        found = {"auroc": _mean(np.stack([ranked(weights) for ranked in self._ranked], axis=1))}
        for name, counted, wrong in self._rates:
            below = weights @ counted
            share = np.full(below.shape, np.nan)
            np.divide(weights @ (counted * wrong), below, out=share, where=below > 0)
            found[name] = _mean(share)
        return found


class _Ranked:
    """The scores of a class in increasing order, so that no resample sorts them again."""

    def __init__(self, score: np.ndarray, target: np.ndarray):
        known = np.flatnonzero(~np.isnan(target))
        self.order = known[np.argsort(score[known], kind="stable")]
        ranked = score[self.order]
        self.starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else known
        self.positive = (target[self.order] == 1).astype(float)

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        """Return the AUROC of each group, [G]: the share of pairs in the right order; ties count one half."""
        if not len(self.order):
            return np.full(len(weights), np.nan)
        mine = weights[:, self.order]
        positive = np.add.reduceat(mine * self.positive, self.starts, axis=1)
        negative = np.add.reduceat(mine * (1 - self.positive), self.starts, axis=1)
        lower = np.cumsum(negative, axis=1) - negative
        pairs = positive.sum(1) * negative.sum(1)
        area = np.full(len(weights), np.nan)
        np.divide((positive * (lower + negative / 2)).sum(1), pairs, out=area, where=pairs > 0)
        return area


def membership(group: np.ndarray, count: int) -> np.ndarray:
    """Return the weights [count, N] of the groups 0 to count - 1; an image with another number is in none."""
    return (group[None, :] == np.arange(count)[:, None]).astype(float)


def gap(values: np.ndarray) -> np.ndarray:
    """Return the largest minus the smallest value over the last axis; NaN if one is undefined."""
    return values.max(axis=-1) - values.min(axis=-1)


def over_runs(runs: Sequence[GroupMeasure], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the mean over runs (seeds) of each quantity that all runs have, float [G]."""
    found = [run(weights) for run in runs]
    shared = [name for name in METRICS if all(name in one for one in found)]
    return {name: np.mean([one[name] for one in found], axis=0) for name in shared}


def resampled(
    runs: Sequence[GroupMeasure], group: np.ndarray, count: int, patient: np.ndarray, n: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Measure the groups on ``n`` resamples of the patients, drawn with replacement with all their images.

    Args:
        runs: runs on the same test images, whose mean is measured.
        group: int [N], group of each image.
        count: G, number of groups.
        patient: [N], patient of each image.
        n, seed: number of resamples, and the seed that draws them.

    Returns:
        Float [n, G] by quantity.
    """
    _, number = np.unique(patient, return_inverse=True)
    random, of_group = np.random.default_rng(seed), membership(group, count)
    patients = number.max() + 1
    draws = []
    for _ in range(n):
        times = np.bincount(random.integers(patients, size=patients), minlength=patients)
        draws.append(over_runs(runs, of_group * times[number]))
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}


def permuted_gaps(
    runs: Sequence[GroupMeasure], group: np.ndarray, count: int, patient: np.ndarray, n: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Return the gaps after ``n`` random exchanges of the groups between patients, float [n] by quantity.

    They show how large a gap is by chance alone: the largest minus the smallest of several noisy values is
    above 0. All images of a patient in one group move together; a patient with images in several groups
    (views) moves in as many parts.

    Args:
        runs, group, count, patient, n, seed: see :func:`resampled`. Images in no group take no part.
    """
    _, part = np.unique(np.stack([_codes(patient), group]), axis=1, return_inverse=True)
    part = part.reshape(-1)
    first = np.unique(part, return_index=True)[1]
    of_part, random = group[first], np.random.default_rng(seed)
    moving = np.flatnonzero(of_part >= 0)
    gaps = []
    for _ in range(n):
        mixed = of_part.copy()
        mixed[moving] = of_part[random.permutation(moving)]
        values = over_runs(runs, membership(mixed[part], count))
        gaps.append({name: gap(value) for name, value in values.items()})
    return {name: np.array([one[name] for one in gaps]) for name in gaps[0]}


def p_value(observed: float, chance: np.ndarray) -> float:
    """Return the share of chance gaps [n] at least as large as the observed one, which counts as one of them.

    NaN if there are none. (Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9 (2010) 39: never 0.)
    """
    defined = chance[np.isfinite(chance)]
    if not len(defined) or not np.isfinite(observed):
        return float("nan")
    return float((1 + (defined >= observed - 1e-12).sum()) / (1 + len(defined)))


def _codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean [G] over the classes of [G, C] that are defined; NaN if none is."""
    defined = np.isfinite(values)
    count = defined.sum(1)
    total = np.where(defined, values, 0.0).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
