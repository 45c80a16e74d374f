"""Calibration: whether predicted probabilities agree with frequencies (diagrams, ECE, Brier score)."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import mean

import numpy as np

from prior_bench.report.html.figures.plot import Multiples, Plot
from prior_bench.report.html.figures.unit_panel import Curve, unit_panel
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.class_scores import ClassScores, classes_of, names_of

BINS = 10
"""Number of bins of equal width over [0, 1]."""


def are_probabilities(scores: list[ClassScores]) -> bool:
    """Whether the scores are probabilities, as those of trained heads (unlike image-text similarities)."""
    return all("probabilities" in s.kinds and 0 <= s.score.min() <= s.score.max() <= 1 for s in scores)


def reliability(scores: list[ClassScores], title: str, colours: dict[str, str]) -> Multiples:
    """Draw the share of positives over the mean probability of bins, one panel per class, seeds pooled."""
    found = Multiples(f"Reliability: {title}", names_of(scores))
    for label in classes_of(scores):
        curves, errors = [], []
        for name in names_of(scores):
            known = [k for one in scores if one.name == name and (k := one.of(label)) is not None]
            if known:
                truth, score = (np.concatenate(parts) for parts in zip(*known, strict=True))
                said, seen, share = bins(truth, score)
                dots = list(zip(said, seen, share, strict=True))
                curves.append(Curve(name, [dot[:2] for dot in dots], dots))
                errors.append(f"{name} {100 * mean(expected_error(*k) for k in known):.1f}")
        if curves:
            svg = unit_panel(
                curves,
                title=f"Reliability: {title}, {label}",
                description=f"Expected calibration error × 100, mean over seeds: {', '.join(errors)}",
                x_label="predicted probability",
                y_label="share of positives",
                colours=colours,
                diagonal=True,
            )
            found.plots.append(Plot(svg, label))
    return found


def error_table(scores: list[ClassScores], title: str) -> SortableTable:
    """Return the expected calibration error per class and on average, and the mean Brier score, by row."""
    classes = [label for label in classes_of(scores) if any(one.of(label) is not None for one in scores)]
    table = SortableTable(
        f"Calibration error × 100, {title}; lower is better.",
        ["Backbone", *classes, "mean ECE", "mean Brier score"],
    )
    for name in names_of(scores):
        mine = [one for one in scores if one.name == name]
        errors = [_over_seeds(mine, label, expected_error) for label in classes]
        brier = [_over_seeds(mine, label, _brier) for label in classes]
        cells = [*errors, _finite_mean(errors), _finite_mean(brier)]
        table.rows.append([words(name), *(number(100 * value) for value in cells)])
    return table


def bins(truth: np.ndarray, score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute mean probability, share of positives and share of images in each bin that is not empty."""
    from sklearn.calibration import calibration_curve

    seen, said = calibration_curve(truth, score, n_bins=BINS, strategy="uniform")
    inner = np.linspace(0, 1, BINS + 1)[
        1:-1
    ]  # the same bins as scikit-learn's, which does not return their sizes
    counts = np.bincount(np.searchsorted(inner, score), minlength=BINS)
    return said, seen, counts[counts > 0] / len(score)


def expected_error(truth: np.ndarray, score: np.ndarray) -> float:
    """Compute the expected calibration error of a class (Naeini et al. 2015): mean gap by bin size."""
    said, seen, share = bins(truth, score)
    return float((share * np.abs(said - seen)).sum())


def _brier(truth: np.ndarray, score: np.ndarray) -> float:
    from sklearn.metrics import brier_score_loss

    return float(brier_score_loss(truth, score))


def _over_seeds(
    scores: list[ClassScores], label: str, measure: Callable[[np.ndarray, np.ndarray], float]
) -> float:
    return _finite_mean([measure(*known) for one in scores if (known := one.of(label)) is not None])


def _finite_mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return mean(finite) if finite else math.nan
