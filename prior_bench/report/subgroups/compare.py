"""Performance in each group of an attribute, and the gap between the groups, row by row."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np

from prior_bench.data.attributes import Grouping, groups
from prior_bench.report.runs.array_cache import Arrays, cached_arrays
from prior_bench.report.subgroups.predicted import Predicted, TestImages
from prior_bench.statistics.bootstrap import percentiles
from prior_bench.statistics.subgroups import (
    HIGHER_IS_BETTER,
    GroupMeasure,
    gap,
    membership,
    over_runs,
    p_value,
    permuted_gaps,
    resampled,
)
from prior_bench.store.source_hash import code_version

LEAST = 10
"""Smallest number of positive and of negative images of a class in a group whose numbers are printed."""


@dataclass(frozen=True)
class Group:
    """A group of the test images: its name, and the number of its images and patients."""

    name: str
    images: int
    patients: int


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval (bootstrap over patients); NaN where it is undefined."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Gap:
    """The largest minus the smallest value of a quantity over the groups.

    Attributes:
        size: the gap, with its interval.
        worst: name of the group with the worst value.
        chance: mean gap after random exchanges of the groups between patients.
        p: share of these exchanges with a gap at least as large; not corrected for several tests.
    """

    size: Estimate
    worst: str
    chance: float
    p: float


@dataclass(frozen=True)
class RowResult:
    """The results of a row: its values in each group and its gap, by quantity."""

    name: str
    seeds: tuple[int, ...]
    values: dict[str, list[Estimate]]
    gaps: dict[str, Gap]


@dataclass
class GroupComparison:
    """The groups of an attribute in one evaluation.

    Attributes:
        attribute: name of the attribute.
        classes: names of the classes that the values are means over.
        groups: the printed groups, in order.
        rows: results of each row; empty if there are fewer than two groups.
        notes: what is left out, and why.
    """

    attribute: str
    classes: tuple[str, ...] = ()
    groups: list[Group] = field(default_factory=list)
    rows: list[RowResult] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare_groups(
    images: TestImages,
    grouping: Grouping,
    *,
    labels: tuple[str, ...] = (),
    least: int = LEAST,
    resamples: int = 1000,
) -> GroupComparison:
    """Measure all rows in each group of an attribute.

    All groups are measured on the same classes: those with ``least`` positives and negatives in each of them.

    Args:
        images: test images with the predictions of all runs.
        grouping: the attribute.
        labels: names of the classes to use; by default all.
        least: see :data:`LEAST`.
        resamples: number of bootstrap resamples, and of permutations.

    Raises:
        BenchError: the attribute defines no groups (:func:`prior_bench.data.attributes.groups`).
    """
    number, names = groups(images.attributes[grouping.name], grouping)
    found = GroupComparison(grouping.name)
    unknown = int((number < 0).sum())
    if unknown:
        found.notes.append(f"{unknown} of {len(number)} images have no known {grouping.name}.")
    first = images.runs[0]
    wanted = np.array([not labels or name in labels for name in first.classes])
    kept, classes = _enough(first, number, names, wanted, least, found.notes)
    if len(kept) < 2:
        found.notes.append(_too_few(grouping.name, names, kept))
        return found
    place = {old: new for new, old in enumerate(kept)}
    group = np.array([place.get(one, -1) for one in number.tolist()], dtype=int)
    found.groups = [
        Group(names[old], int((group == new).sum()), len(np.unique(images.patient[group == new])))
        for new, old in enumerate(kept)
    ]
    found.classes = tuple(name for name, one in zip(first.classes, classes, strict=True) if one)
    if any(not run.has_rates(classes) for run in images.runs):
        found.notes.append("Error rates need a stored threshold of each class; some runs have none.")
    for name in dict.fromkeys(run.name for run in images.runs):
        mine = [run for run in images.runs if run.name == name]
        found.rows.append(_row(name, mine, classes, group, found.groups, images.patient, resamples))
    return found


def _row(
    name: str,
    runs: list[Predicted],
    classes: np.ndarray,
    group: np.ndarray,
    shown: list[Group],
    patient: np.ndarray,
    resamples: int,
) -> RowResult:
    count, measures = len(shown), [run.measure(classes) for run in runs]
    values = over_runs(measures, membership(group, count))
    parts = runs, classes, group, patient, resamples
    kept = cached_arrays(
        "subgroups", _key(*parts), lambda: _draws(measures, group, count, patient, resamples)
    )
    estimates, gaps = {}, {}
    for metric, found in values.items():
        drawn = kept.get(f"draws_{metric}", np.full((1, count), np.nan))
        estimates[metric] = [_estimate(found[g], drawn[:, g]) for g in range(count)]
        size, mixed = float(gap(found)), kept.get(f"chance_{metric}", np.zeros(0))
        worst = int(found.argmin() if HIGHER_IS_BETTER[metric] else found.argmax())
        defined = mixed[np.isfinite(mixed)]
        expected = float(defined.mean()) if len(defined) else math.nan
        gaps[metric] = Gap(_estimate(size, gap(drawn)), shown[worst].name, expected, p_value(size, mixed))
    return RowResult(name, tuple(run.seed for run in runs), estimates, gaps)


def _draws(
    measures: list[GroupMeasure], group: np.ndarray, count: int, patient: np.ndarray, n: int
) -> Arrays:
    """Return the resampled values, [n, G] as ``draws_*``, and the gaps by chance, [n] as ``chance_*``."""
    if not n:
        return {}
    draws, chance = (make(measures, group, count, patient, n) for make in (resampled, permuted_gaps))
    return {f"draws_{m}": v for m, v in draws.items()} | {f"chance_{m}": v for m, v in chance.items()}


def _key(
    runs: list[Predicted], classes: np.ndarray, group: np.ndarray, patient: np.ndarray, resamples: int
) -> str:
    """Hash everything that the draws depend on, and the code that makes them."""
    code = code_version("prior_bench.statistics.subgroups", "prior_bench.report.subgroups.predicted")
    digest = hashlib.sha256(f"{code} {resamples}".encode())
    for array in (classes, group, patient.astype(str)):
        digest.update(np.ascontiguousarray(array).tobytes())
    for run in runs:
        digest.update(repr((run.classes, run.exclusive)).encode())
        for values in (run.score, run.target, run.decided, run.decisions):
            digest.update(b"none" if values is None else np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:24]


def _estimate(value: float, draws: np.ndarray) -> Estimate:
    return Estimate(float(value), *percentiles(draws))


def _enough(
    run: Predicted, number: np.ndarray, names: list[str], wanted: np.ndarray, least: int, notes: list[str]
) -> tuple[list[int], np.ndarray]:
    """Return the groups to print and the classes that have enough images of both labels in each, bool [C].

    As long as the groups share no class, the group with the fewest classes is left out.
    """
    of_group = membership(number, len(names))
    counts = np.minimum(of_group @ (run.target == 1), of_group @ (run.target == 0))
    enough = (counts >= least) & wanted
    kept = [g for g in range(len(names)) if enough[g].any()]
    notes += [
        f"{names[g]} ({int(of_group[g].sum())} images) is not printed: no class has {least} positives and "
        f"{least} negatives there."
        for g in range(len(names))
        if g not in kept and of_group[g].any()
    ]
    while len(kept) > 1 and not enough[kept].all(axis=0).any():
        poorest = min(kept, key=lambda g: (enough[g].sum(), of_group[g].sum()))
        kept.remove(poorest)
        notes.append(f"{names[poorest]} is not printed: it shares no class with the other groups.")
    shared = enough[kept].all(axis=0) if kept else np.zeros(len(wanted), bool)
    if len(kept) > 1 and (lost := [c for c, w, s in zip(run.classes, wanted, shared, strict=True) if w > s]):
        notes.append(
            f"Without {', '.join(lost)}: a group has fewer than {least} positives or {least} negatives."
        )
    return kept, shared


def _too_few(attribute: str, names: list[str], kept: list[int]) -> str:
    if len(names) == 1:
        return f"All images with a known {attribute} have the same one, {names[0]}."
    left = f"only {names[kept[0]]} has" if kept else "no group has"
    return f"Nothing is compared by {attribute}: {left} enough images."
