"""Confusion matrices of decisions for one class per image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from prior_bench.report.runs.class_scores import ClassScores, names_of


@dataclass
class Matrix:
    """The decisions of a row, summed over its seeds.

    Attributes:
        name: name of the row.
        classes: names of the C classes.
        counts: [C][C], true class by row, predicted class by column.
        shares: [C][C], counts as shares of the true class; 0 if it has no image.
    """

    name: str
    classes: tuple[str, ...]
    counts: list[list[int]]
    shares: list[list[float]]


def confusion_matrices(scores: list[ClassScores]) -> list[Matrix]:
    """Return one matrix per row if exactly one of two or more classes is predicted per image; otherwise none.

    As in the zero-shot accuracy, images without a class or with several are left out.
    """
    if not all(("one_class" in one.kinds or one.exclusive) and len(one.classes) > 1 for one in scores):
        return []
    return [_matrix(name, [one for one in scores if one.name == name]) for name in names_of(scores)]


def _matrix(name: str, runs: list[ClassScores]) -> Matrix:
    from sklearn.metrics import confusion_matrix

    classes = runs[0].classes
    total = np.zeros((len(classes), len(classes)), int)
    for one in runs:
        single = (one.target == 1).sum(1) == 1
        if one.classes == classes and single.any():
            true, decided = one.target[single].argmax(1), one.score[single].argmax(1)
            total += confusion_matrix(true, decided, labels=range(len(classes)))
    shares = total / np.maximum(total.sum(1, keepdims=True), 1)
    return Matrix(name, classes, total.tolist(), shares.tolist())
