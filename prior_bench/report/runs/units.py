"""The unit that tests and intervals resample: patients, or images for data sets without patients."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun, ReportedRun, finished_runs

PATIENT, IMAGE = "patient", "image"
BOTH = "patient (by test image where patients are not known)"


def unit_of(run: ReportedRun) -> str:
    """Return IMAGE if each image is its own patient, otherwise PATIENT; PATIENT without predictions."""
    if run.store is None:
        return PATIENT
    try:
        predictions = load_predictions(run.store.root, run.key)
    except BenchError:
        return PATIENT
    if "id" not in predictions or "patient_id" not in predictions:
        return PATIENT
    images = predictions.get("image_id", predictions["id"])  # a task may score parts of an image
    return IMAGE if np.array_equal(images, predictions["patient_id"]) else PATIENT


def unit_of_several(runs: Iterable[ReportedRun]) -> str:
    """Return the words after "by test" in captions over several evaluations: PATIENT, IMAGE or BOTH."""
    units = {unit_of(run) for run in runs}
    return BOTH if len(units) > 1 else next(iter(units), PATIENT)


def one_per_data_set(runs: Iterable[ReportedRun]) -> list[FinishedRun]:
    """Return a finished run of each data set and task; the others have the same test samples."""
    done = finished_runs(runs)
    return list({(run.spec["task"], str(run.spec["data"])): run for run in done}.values())
