"""Linear probe: logistic regression on standardised features, with its strength chosen on validation data.

A convex problem that is solved to its optimum has no learning rate, epoch count or batch size to tune. The
result therefore depends on the features and not on how well somebody tuned the head.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from prior_bench.metrics.classification import auroc
from prior_bench.probing.outcome import ProbeOutcome
from prior_bench.probing.standardised import fit_scaler, standardised
from prior_bench.runtime import progress

Predict = Callable[[np.ndarray], np.ndarray]
"""Probabilities [N, C] from features [N, D]."""


def probe(
    features: dict[str, np.ndarray],
    targets: dict[str, np.ndarray],
    *,
    exclusive: bool,
    strengths: tuple[float, ...],
    max_iterations: int = 1000,
    scratch: Path | None = None,
) -> ProbeOutcome:
    """Fit on ``train``, choose C by macro AUROC on ``valid``, and predict ``valid`` and ``test``.

    Multi-label targets give one binary problem per class, on the images whose label is known; exclusive
    targets give a single multinomial problem. If all training images have the same value of a multi-label
    class, its probability is the constant 0.5. If an exclusive class does not occur in the training images,
    its probability is 0.

    Args:
        features: float32 or float16 [N, D] for train, valid and test; they are read block by block.
        targets: [N, C] for train and valid; NaN for unknown.
        strengths: values of C to try (inverse regularisation); among equally good values the smallest wins.
        scratch: folder for standardised features that are too large for memory.
    """
    scaler = fit_scaler(features["train"])
    scaled = {part: standardised(scaler, values, scratch) for part, values in features.items()}
    fit = _exclusive if exclusive else _multi_label
    best: tuple[np.ndarray, Predict] | None = None
    best_value, history = -np.inf, []
    for strength in progress(sorted(strengths), "linear probe"):
        predict, iterations = fit(scaled["train"], targets["train"], strength, max_iterations)
        valid = predict(scaled["valid"])
        per_class = auroc(valid, targets["valid"])
        value = float(np.nanmean(per_class)) if np.isfinite(per_class).any() else float("nan")
        history.append({"C": strength, "auroc": value, "iterations": iterations})
        # if AUROC is undefined for every class, all strengths are equally good and the first is kept
        if best is None or value > best_value:
            best, best_value = (valid, predict), np.nan_to_num(value, nan=-np.inf)
    assert best is not None, "there is at least one strength"
    valid, predict = best
    return ProbeOutcome(
        valid, predict(scaled["test"]), history, lambda rows: predict(standardised(scaler, rows, scratch))
    )


def _multi_label(
    features: np.ndarray, target: np.ndarray, strength: float, max_iterations: int
) -> tuple[Predict, int]:
    models: list[LogisticRegression | None] = []
    iterations = 0
    for labels in target.T:
        known = ~np.isnan(labels)
        if len(np.unique(labels[known])) < 2:
            models.append(None)
            continue
        some = features if known.all() else features[known]  # a mask copies, even if it keeps all
        model = _regression(strength, max_iterations, some, labels[known])
        models.append(model)
        iterations = max(iterations, int(model.n_iter_.max()))

    def predict(rows: np.ndarray) -> np.ndarray:
        constant = np.full(len(rows), 0.5)
        columns = [constant if model is None else model.predict_proba(rows)[:, 1] for model in models]
        return np.stack(columns, axis=1).astype(np.float32)

    return predict, iterations


def _exclusive(
    features: np.ndarray, target: np.ndarray, strength: float, max_iterations: int
) -> tuple[Predict, int]:
    labels, classes = target.argmax(1), target.shape[1]
    present = np.unique(labels)
    model = _regression(strength, max_iterations, features, labels) if len(present) > 1 else None

    def predict(rows: np.ndarray) -> np.ndarray:
        scores = np.zeros((len(rows), classes), dtype=np.float32)
        scores[:, present] = 1 if model is None else model.predict_proba(rows)
        return scores

    return predict, 0 if model is None else int(model.n_iter_.max())


def _regression(
    strength: float, max_iterations: int, features: np.ndarray, labels: np.ndarray
) -> LogisticRegression:
    with warnings.catch_warnings():
        # the history shows the iterations; an optimum that was not quite reached still ranks the images
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=max_iterations).fit(features, labels)
