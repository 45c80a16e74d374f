"""Class scores of an evaluation's runs, from their stored predictions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prior_bench.errors import BenchError
from prior_bench.report.runs.described import described
from prior_bench.report.runs.draws import load_predictions
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.selection import most_labels


@dataclass(frozen=True)
class ClassScores:
    """The class scores of one run on the test images.

    Attributes:
        name, seed: name of the row, and seed of the run.
        kinds: declared content of the task's predictions (``Task.predictions``).
        classes: names of the C classes.
        score, target: [N, C]; a target is 1, 0 or NaN (unknown).
        patient: [N], patient of each image. exclusive: whether every image has exactly one class.
    """

    name: str
    seed: int
    kinds: tuple[str, ...]
    classes: tuple[str, ...]
    score: np.ndarray
    target: np.ndarray
    patient: np.ndarray
    exclusive: bool

    def of(self, label: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return known labels (bool) and scores of a class; None if only one of the two labels occurs."""
        if label not in self.classes:
            return None
        column = self.classes.index(label)
        known = ~np.isnan(self.target[:, column])
        truth = self.target[known, column] == 1
        return (truth, self.score[known, column]) if truth.any() and not truth.all() else None


def scores_of(entries: list[FinishedRun]) -> tuple[list[ClassScores], list[str]]:
    """Return class scores of all seeds for the largest label fraction, and a line per reason to omit runs.

    Args:
        entries: finished runs of one task, data set and protocol.
    """
    found: list[ClassScores] = []
    missing: dict[str, list[str]] = {}
    for entry in most_labels(entries):
        name = entry.spec["backbone"]["name"]
        try:
            found.append(_scores(entry, load_predictions(entry.store.root, entry.key)))
        except KeyError as error:
            missing.setdefault(f"the stored predictions lack {error}", []).append(name)
        except (BenchError, ValueError, TypeError):
            missing.setdefault("the predictions are missing or damaged", []).append(name)
    return found, [f"{', '.join(dict.fromkeys(names))}: {why}" for why, names in missing.items()]


def names_of(scores: list[ClassScores]) -> list[str]:
    """Return the names of the rows, in their order."""
    return list(dict.fromkeys(one.name for one in scores))


def classes_of(scores: list[ClassScores]) -> list[str]:
    """Return the names of the classes of all runs, in their order."""
    return list(dict.fromkeys(label for one in scores for label in one.classes))


def _scores(entry: FinishedRun, predictions: dict[str, np.ndarray]) -> ClassScores:
    spec = entry.spec
    classes, shape = predictions["meta_classes"], (len(predictions["id"]), predictions["meta_classes"].size)
    if classes.ndim != 1 or predictions["score"].shape != shape or predictions["target"].shape != shape:
        raise ValueError("scores and labels are not of these samples and classes")
    kinds = described(spec["task"], [entry]).predictions
    return ClassScores(
        name=spec["backbone"]["name"],
        seed=spec["seed"],
        kinds=tuple(kind for kind in kinds if kind != "one_class" or predictions.get("meta_one_class", True)),
        classes=tuple(str(label) for label in predictions["meta_classes"]),
        score=np.asarray(predictions["score"], float),
        target=np.asarray(predictions["target"], float),
        patient=predictions["patient_id"],
        exclusive=bool(predictions.get("meta_exclusive", False)),
    )
