"""The difference between two methods in one evaluation, from the stored predictions of their runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.comparing.run_parts import NotTested, RunParts, Samples
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting
from prior_bench.statistics import significance
from prior_bench.statistics.bootstrap import percentiles
from prior_bench.statistics.significance import Difference

Runs = Mapping[int, FinishedRun]
"""Finished runs of one method in one evaluation, by seed."""


def paired_difference(
    first: Runs,
    second: Runs,
    metric: str,
    spread: tuple[float, int] | None = None,
    parts: RunParts | None = None,
) -> Difference:
    """Compute the first method's metric minus the second's, averaged over the seeds that both have.

    Args:
        first, second: runs that have the same test set at each seed. The seeds may have different ones: the
            folds of a cross-validation, or draws.
        metric: name of a metric that both have.
        spread: variance over seeds, estimated from more methods than these; see :func:`spread_over_seeds`.
        parts: of the metric; give the same to the tests of all pairs, which then read each run once.

    Raises:
        NotTested: there is no common seed, the metric is undefined, predictions are missing, or the test
            samples differ.
    """
    seeds = sorted(set(first) & set(second))
    if not seeds:
        raise NotTested("no seed in common")
    pairs = [(first[seed], second[seed]) for seed in seeds]
    per_seed = [one.record.metrics[metric] - two.record.metrics[metric] for one, two in pairs]
    if not np.isfinite(per_seed).all():
        raise NotTested("the metric is undefined")
    try:
        with fitting(f"run {pairs[0][0].key}"):
            error, patients = _error_over_seeds(pairs, parts or RunParts(metric))
    except BenchError as problem:
        raise NotTested("no stored predictions") from problem
    return significance.difference(per_seed, error, patients, spread)


def spread_over_seeds(methods: list[Runs], metric: str) -> tuple[float, int] | None:
    """Estimate the variance over seeds of the difference between two methods from all complete methods.

    Methods that lack a seed do not contribute to the estimate, but it is valid for them, too. It is None if
    fewer than two methods have every seed, or if there is only one seed.
    """
    seeds = sorted(set().union(*methods))
    complete = [runs for runs in methods if len(runs) == len(seeds)]
    if len(complete) < 2:
        return None
    values = [[runs[seed].record.metrics[metric] for seed in seeds] for runs in complete]
    return significance.pooled_spread(np.array(values))


def mean_interval(runs: Runs, metric: str, scale: float = 1.0) -> tuple[float, float] | None:
    """Compute the 95 % bootstrap interval by patient of the mean over seeds; None without predictions."""
    try:
        with fitting(metric):
            parts = RunParts(metric)
            _common(list(runs.values()), parts)
            drawn = parts.draws(list(runs.values()))
    except (BenchError, NotTested):
        return None
    low, high = percentiles(drawn)
    return (scale * low, scale * high) if np.isfinite(low) else None


def _common(runs: list[FinishedRun], parts: RunParts) -> Samples:
    """Return the test samples that all runs have."""
    sets = {parts.samples(run) for run in runs}
    if len(sets) > 1:
        raise NotTested("the test samples differ")
    return sets.pop()


def _error_over_seeds(pairs: list[tuple[FinishedRun, FinishedRun]], parts: RunParts) -> tuple[float, int]:
    """Return the standard error of the mean difference due to the test patients, and their number.

    If the seeds have different test sets, their errors are combined. Folds share no patient, so that their
    errors are independent. Draws share some: their error is bounded by that of draws that share all.
    """
    sets = {parts.samples(run) for pair in pairs for run in pair}
    if len(sets) == 1:
        return _test_error(pairs, parts), len(sets.pop().names)
    of_seeds = [_common(list(pair), parts).names for pair in pairs]
    errors = np.array([_test_error([pair], parts) for pair in pairs])
    number, distinct = sum(map(len, of_seeds)), len(np.unique(np.concatenate(of_seeds)))
    if number == distinct:
        return float(np.sqrt(np.sum(errors**2)) / len(errors)), distinct
    return float(np.sqrt(np.mean(errors**2))), distinct


def _test_error(pairs: list[tuple[FinishedRun, FinishedRun]], parts: RunParts) -> float:
    one, two = ([pair[side] for pair in pairs] for side in (0, 1))
    error = np.nan
    if parts.by_delong(one[0]):
        error = float(np.sqrt(((parts.contributions(one) - parts.contributions(two)) ** 2).sum()))
    if not np.isfinite(error):  # another metric, or a class with a single positive
        error = significance.bootstrap_error([parts.draws(one)], [parts.draws(two)])
    if not np.isfinite(error):
        raise NotTested("too few test samples")
    return error
