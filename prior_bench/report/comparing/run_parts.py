"""What paired tests need of a run, computed once for each run however many pairs it is in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from prior_bench.report.runs.described import metric_of
from prior_bench.report.runs.draws import load_predictions, metric_draws
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.statistics import delong

Name = tuple[str, str]
"""Root of the store and key of a run."""


class NotTested(Exception):
    """A test cannot be made; the message states the reason."""


@dataclass(frozen=True, eq=False)
class Samples:
    """The test samples of all runs that have the same ones: such runs share the object.

    Attributes:
        names: [P], the patients.
        patient: [N], the place in ``names`` of each sample's patient, in the order of the samples' ids.
    """

    names: np.ndarray
    patient: np.ndarray


class SamplesOfRuns:
    """The test samples of runs, each read once whatever the number of metrics."""

    def __init__(self) -> None:
        self._of_run: dict[Name, Samples] = {}
        self._known: dict[bytes, Samples] = {}

    def of(self, run: FinishedRun) -> Samples:
        """Return the test samples of a run.

        Raises:
            NotTested: its predictions have no patients, or fewer than two.
            BenchError: it has no predictions.
        """
        name = run.name
        if name not in self._of_run:
            self._of_run[name] = self._read(run)
        if len(self._of_run[name].names) < 2:
            raise NotTested("fewer than two patients")
        return self._of_run[name]

    def _read(self, run: FinishedRun) -> Samples:
        predictions = load_predictions(run.store.root, run.key)
        if "id" not in predictions or "patient_id" not in predictions:
            raise NotTested("the predictions have no patients")
        ids = predictions["id"]
        order = np.argsort(ids, kind="stable")
        digest = hashlib.sha256(f"{ids.dtype} {ids.shape}".encode() + ids[order].tobytes()).digest()
        if digest not in self._known:
            names, patient = np.unique(predictions["patient_id"][order], return_inverse=True)
            self._known[digest] = Samples(names, patient)
        return self._known[digest]


class RunParts:
    """The parts of runs, for tests of one metric.

    Args:
        metric: name of a metric that all runs have.
        samples: the test samples of runs; give the same to the parts of all metrics of a table.
    """

    def __init__(self, metric: str, samples: SamplesOfRuns | None = None):
        self.metric = metric
        self.samples = (samples or SamplesOfRuns()).of
        self._by_patient: dict[Name, np.ndarray] = {}
        self._draws: dict[Name, np.ndarray] = {}
        self._means: dict[tuple[str, tuple[Name, ...]], np.ndarray] = {}
        self._by_delong: bool | None = None

    def by_delong(self, run: FinishedRun) -> bool:
        """Whether the metric's error follows from contributions of the samples."""
        if self._by_delong is None:
            self._by_delong = metric_of(run, self.metric).error == "delong"
        return self._by_delong

    def contributions(self, runs: Sequence[FinishedRun]) -> np.ndarray:
        """Return the contribution of each patient [P] to DeLong's error of the mean over runs."""
        return self._mean("contributions", runs, self._contributions)

    def draws(self, runs: Sequence[FinishedRun]) -> np.ndarray:
        """Return the mean over runs of the metric on the same resamples of patients."""
        return self._mean("draws", runs, self._drawn)

    def _mean(
        self, what: str, runs: Sequence[FinishedRun], of_run: Callable[[FinishedRun], np.ndarray]
    ) -> np.ndarray:
        key = what, tuple(run.name for run in runs)
        if key not in self._means:
            self._means[key] = np.mean([of_run(run) for run in runs], axis=0)
        return self._means[key]

    def _contributions(self, run: FinishedRun) -> np.ndarray:
        name, samples = run.name, self.samples(run)
        if name not in self._by_patient:
            of_samples = sample_contributions(run, self.metric)
            self._by_patient[name] = np.bincount(samples.patient, of_samples, len(samples.names))
        return self._by_patient[name]

    def _drawn(self, run: FinishedRun) -> np.ndarray:
        name = run.name
        if name not in self._draws:
            self._draws[name] = metric_draws(run.record, run.store, self.metric)
        return self._draws[name]


def sample_contributions(run: FinishedRun, metric: str) -> np.ndarray:
    """Return the contribution of each sample [N] to DeLong's error, in the order of the samples' ids.

    Raises:
        NotTested: the predictions have no scores.
    """
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
