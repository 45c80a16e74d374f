"""The stored predictions of the runs of one evaluation, beside the attributes of its test images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.attributes import attributes
from prior_bench.data.manifest import Manifest
from prior_bench.data.recorded import open_recorded
from prior_bench.data.splitting.seeded import split_name
from prior_bench.errors import BenchError
from prior_bench.report.runs.described import described
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting
from prior_bench.statistics.subgroups import GroupMeasure

NEGATIVE = "no finding"
"""Label, in lower case, that means that an image is free of findings."""


@dataclass(frozen=True)
class Predicted:
    """The predictions of one run.

    Attributes:
        name, seed: name of the row, and seed of the run.
        classes: names of the C classes.
        score, target: [N, C]; a target is 1, 0 or NaN (unknown).
        decisions: bool [N, C], by the highest score (exclusive labels) or stored thresholds; None without.
        decided: bool [C], classes that have a threshold.
        exclusive: whether every image has exactly one class.
    """

    name: str
    seed: int
    classes: tuple[str, ...]
    score: np.ndarray
    target: np.ndarray
    decisions: np.ndarray | None
    decided: np.ndarray
    exclusive: bool

    def has_rates(self, chosen: np.ndarray) -> bool:
        """Whether decisions are stored for all classes ``chosen``, bool [C]."""
        return self.decisions is not None and bool(self.decided[chosen].all())

    def measure(self, chosen: np.ndarray) -> GroupMeasure:
        """Return the measure over the classes ``chosen``, bool [C]; rates need a threshold of all of them."""
        score, target = self.score[:, chosen], self.target[:, chosen]
        if self.decisions is None or not self.has_rates(chosen):
            return GroupMeasure(score, target)
        decisions = self.decisions[:, chosen]
        if self.exclusive:
            return GroupMeasure(score, target, decisions)
        names = [name for name, one in zip(self.classes, chosen, strict=True) if one]
        stated = [name.lower().replace("_", " ") == NEGATIVE for name in names]
        if len(names) == 1:  # underdiagnosis would be the FNR or the FPR once more
            return GroupMeasure(score, target, decisions)
        if any(stated):
            healthy, ill = decisions[:, stated].sum(1) > 0, (target[:, stated] == 0).sum(1) > 0
        else:
            healthy, ill = decisions.sum(1) == 0, (target == 1).sum(1) > 0
        return GroupMeasure(score, target, decisions, healthy, ill)


@dataclass(frozen=True)
class TestImages:
    """The test images of an evaluation and its runs on them.

    Attributes:
        runs: predictions of all rows and seeds, in the order of these images.
        patient: [N], patient of each image.
        attributes: values of each attribute, one per image, by name.
        data: name of the data set.
    """

    __test__ = False  # it is no test, although its name begins like one

    runs: list[Predicted]
    patient: np.ndarray
    attributes: dict[str, pd.Series]
    data: str


def has_class_scores(entry: FinishedRun) -> bool:
    """Whether a run's task stores a score for each class."""
    return "class_scores" in described(entry.spec["task"], [entry]).predictions


def read_test_images(entries: list[FinishedRun], file: Path | None = None) -> TestImages:
    """Read the predictions of some runs of one evaluation, and the attributes of their test images.

    Args:
        entries: finished runs of one task, data set, protocol and amount of labels.
        file: CSV file with further attributes (:func:`prior_bench.data.attributes.attributes`).

    Raises:
        BenchError: predictions are missing, the runs were tested on other images, the data set is not there,
            or it has changed since.
    """
    first = load_predictions(entries[0].store.root, entries[0].key)
    with fitting(f"run {entries[0].key}"):
        ids = first["id"].astype(str)
        runs = [_predicted(entry, ids) for entry in entries]
    spec = entries[0].spec
    split = split_name(spec["protocol"]["split"], spec["seed"])
    manifest = open_recorded(dict(spec["data"]), split, f"record {entries[0].key}")
    rows = _rows(manifest, ids, first["patient_id"].astype(str))
    found = attributes(manifest.select(rows), file)
    return TestImages(runs, first["patient_id"].astype(str), found, manifest.name)


def _predicted(entry: FinishedRun, ids: np.ndarray) -> Predicted:
    spec, stored = entry.spec, load_predictions(entry.store.root, entry.key)
    lacking = [name for name in ("id", "patient_id", "score", "target", "meta_classes") if name not in stored]
    if lacking:
        raise BenchError(f"the stored predictions lack {', '.join(lacking)}", where=f"run {entry.key}")
    if not np.array_equal(stored["id"].astype(str), ids):
        raise BenchError("was tested on other images than the first run", where=f"run {entry.key}")
    score, target = np.asarray(stored["score"], float), np.asarray(stored["target"], float)
    if not score.shape == target.shape == (len(ids), len(stored["meta_classes"])):
        raise BenchError("scores and labels are not of these images and classes", where=f"run {entry.key}")
    exclusive, thresholds = bool(stored.get("meta_exclusive", False)), stored.get("meta_thresholds")
    decisions = None  # similarities of zero-shot have no threshold
    if exclusive:
        decisions, thresholds = np.eye(score.shape[1], dtype=bool)[score.argmax(1)], None
    elif thresholds is not None:
        decisions = score >= thresholds
    return Predicted(
        name=spec["backbone"]["name"],
        seed=spec["seed"],
        classes=tuple(str(name) for name in stored["meta_classes"]),
        score=score,
        target=target,
        decisions=decisions,
        decided=np.full(score.shape[1], True) if thresholds is None else ~np.isnan(thresholds),
        exclusive=exclusive,
    )


def _rows(manifest: Manifest, ids: np.ndarray, patients: np.ndarray) -> np.ndarray:
    """Return the rows of the manifest with these ids."""
    place = {name: row for row, name in enumerate(manifest.table["id"].astype(str))}
    absent = [name for name in ids if name not in place]
    fix = "give the data that the run was tested on, or run the suite again"
    if absent:
        what = f"{len(absent)} of {len(ids)} test images are no longer in the data, e.g. {absent[0]}"
        raise BenchError(what, where=manifest.name, fix=fix)
    rows = np.array([place[name] for name in ids], dtype=int)
    if not np.array_equal(manifest.table["patient_id"].astype(str).to_numpy()[rows], patients):
        raise BenchError("the patients of the test images have changed", where=manifest.name, fix=fix)
    return rows
