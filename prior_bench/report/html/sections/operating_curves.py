"""ROC and precision-recall curves: a small panel per class with all rows and seeds."""

from __future__ import annotations

from collections.abc import Callable
from statistics import mean
from typing import Any

import numpy as np

from prior_bench.report.html.figures.plot import Multiples, Plot
from prior_bench.report.html.figures.unit_panel import Curve, Point, unit_panel
from prior_bench.report.runs.class_scores import ClassScores, classes_of, names_of

Drawn = tuple[list[Point], float]
"""The points of a curve, and the area under it."""


def roc_curves(scores: list[ClassScores], title: str, colours: dict[str, str]) -> Multiples:
    """Draw the true positive rate over the false positive rate for all thresholds."""
    axes: dict[str, Any] = {
        "x_label": "false positive rate",
        "y_label": "true positive rate",
        "diagonal": True,
    }
    return _per_class(scores, f"ROC: {title}", "AUROC", _roc, axes, colours)


def precision_recall_curves(scores: list[ClassScores], title: str, colours: dict[str, str]) -> Multiples:
    """Draw precision over recall in steps, because values between two thresholds cannot be reached."""
    axes = {"x_label": "recall", "y_label": "precision"}
    return _per_class(scores, f"Precision-recall: {title}", "AUPRC", _precision_recall, axes, colours)


def _per_class(
    scores: list[ClassScores],
    title: str,
    area: str,
    draw: Callable[[np.ndarray, np.ndarray], Drawn],
    axes: dict[str, Any],
    colours: dict[str, str],
) -> Multiples:
    found, undefined = Multiples(title, names_of(scores)), []
    for label in classes_of(scores):
        curves: list[Curve] = []
        areas: dict[str, list[float]] = {}
        truth = None
        for one in scores:
            if (known := one.of(label)) is not None:
                truth, score = known
                points, value = draw(truth, score)
                curves.append(Curve(one.name, points))
                areas.setdefault(one.name, []).append(value)
        if truth is None:
            undefined.append(label)
            continue
        level = None if "diagonal" in axes else float(truth.mean())
        told = ", ".join(f"{name} {100 * mean(values):.1f}" for name, values in areas.items())
        svg = unit_panel(
            curves,
            title=f"{title}, {label}",
            description=f"{area} × 100, mean over seeds: {told}",
            colours=colours,
            level=level,
            **axes,
        )
        found.plots.append(Plot(svg, f"{label} ({truth.sum()} of {len(truth)} images)"))
    if undefined:
        found.note = f"No curve, because all known labels are the same: {', '.join(undefined)}."
    return found


def _roc(truth: np.ndarray, score: np.ndarray) -> Drawn:
    from sklearn.metrics import roc_auc_score, roc_curve

    x, y, _ = roc_curve(truth, score)
    return list(zip(x, y, strict=True)), float(roc_auc_score(truth, score))


def _precision_recall(truth: np.ndarray, score: np.ndarray) -> Drawn:
    from sklearn.metrics import average_precision_score, precision_recall_curve

    y, x, _ = precision_recall_curve(truth, score, drop_intermediate=True)
    points = [(x[0], y[0])]
    for here, there in zip(zip(x, y, strict=True), zip(x[1:], y[1:], strict=True), strict=False):
        points += [(there[0], here[1]), there]
    # the last point, recall 0 with precision 1, is only a convention
    return points[:-1], float(average_precision_score(truth, score))
