"""The difference between two methods in one evaluation, from the stored predictions of their runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.draws import load_predictions, metric_draws
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting
from prior_bench.statistics import delong, significance
from prior_bench.statistics.bootstrap import percentiles
from prior_bench.statistics.significance import Difference

Runs = Mapping[int, FinishedRun]
"""Finished runs of one method in one evaluation, by seed."""


class NotTested(Exception):
    """A test cannot be made; the message states the reason."""


def paired_difference(
    first: Runs, second: Runs, metric: str, spread: tuple[float, int] | None = None
) -> Difference:
    """Compute the first method's metric minus the second's, averaged over the seeds that both have.

    Args:
        first, second: runs that have the same test set at each seed. The seeds may have different ones: the
            folds of a cross-validation, or draws.
        metric: name of a metric that both have.
        spread: variance over seeds, estimated from more methods than these; see :func:`spread_over_seeds`.

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
            error, patients = _error_over_seeds(pairs, metric)
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
            _common_patients(list(runs.values()))
            drawn = np.mean([metric_draws(run.record, run.store, metric) for run in runs.values()], axis=0)
    except (BenchError, NotTested):
        return None
    low, high = percentiles(drawn)
    return (scale * low, scale * high) if np.isfinite(low) else None


def _common_patients(runs: list[FinishedRun]) -> np.ndarray:
    """Return the patients [N] of the test samples, in the order of the samples' ids."""
    sets = [load_predictions(run.store.root, run.key) for run in runs]
    if any("id" not in one or "patient_id" not in one for one in sets):
        raise NotTested("the predictions have no patients")
    ids = [np.sort(one["id"]) for one in sets]
    if not all(np.array_equal(ids[0], other) for other in ids):
        raise NotTested("the test samples differ")
    patients = sets[0]["patient_id"][np.argsort(sets[0]["id"], kind="stable")]
    if len(np.unique(patients)) < 2:
        raise NotTested("fewer than two patients")
    return patients


def _error_over_seeds(pairs: list[tuple[FinishedRun, FinishedRun]], metric: str) -> tuple[float, int]:
    """Return the standard error of the mean difference due to the test patients, and their number.

    If the seeds have different test sets, their errors are combined. Folds share no patient, so that their
    errors are independent. Draws share some: their error is bounded by that of draws that share all.
    """
    if _same_samples([run for pair in pairs for run in pair]):
        patients = _common_patients([run for pair in pairs for run in pair])
        return _test_error(pairs, metric, patients), len(np.unique(patients))
    of_seeds = [_common_patients(list(pair)) for pair in pairs]
    errors = np.array([_test_error([p], metric, of) for p, of in zip(pairs, of_seeds, strict=True)])
    number, distinct = sum(len(np.unique(of)) for of in of_seeds), len(np.unique(np.concatenate(of_seeds)))
    if number == distinct:
        return float(np.sqrt(np.sum(errors**2)) / len(errors)), distinct
    return float(np.sqrt(np.mean(errors**2))), distinct


def _same_samples(runs: list[FinishedRun]) -> bool:
    """Whether all runs were tested on the same samples; also if this is not known."""
    ids = [load_predictions(run.store.root, run.key).get("id") for run in runs]
    first = None if ids[0] is None else np.sort(ids[0])
    return first is None or all(one is None or np.array_equal(first, np.sort(one)) for one in ids)


def _test_error(pairs: list[tuple[FinishedRun, FinishedRun]], metric: str, patients: np.ndarray) -> float:
    error = np.nan
    if metric_of(pairs[0][0], metric).error == "delong":
        both = [[_contributions(run, metric) for run in pair] for pair in pairs]
        error = delong.standard_error(np.mean([one - two for one, two in both], axis=0), patients)
    if not np.isfinite(error):  # another metric, or a class with a single positive
        draws = [[metric_draws(run.record, run.store, metric) for run in pair] for pair in pairs]
        error = significance.bootstrap_error([one for one, _ in draws], [two for _, two in draws])
    if not np.isfinite(error):
        raise NotTested("too few test samples")
    return error


def _contributions(run: FinishedRun, metric: str) -> np.ndarray:
    predictions = load_predictions(run.store.root, run.key)
    if "score" not in predictions or "target" not in predictions:
        raise NotTested("the predictions have no scores")
    order = np.argsort(predictions["id"], kind="stable")
    classes = [str(name) for name in predictions.get("meta_classes", [])]
    wanted = metric.partition("/")[2]
    chosen = [classes.index(wanted)] if wanted in classes else slice(None)
    return delong.contributions(
        predictions["score"][order][:, chosen], predictions["target"][order][:, chosen]
    )
