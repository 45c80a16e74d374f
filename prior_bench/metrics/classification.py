"""Classification metrics, each variant by its own name, on NumPy arrays alone.

Everywhere: ``score`` [N, C] (higher means more likely; probabilities where a threshold is involved) and
``target`` [N, C] (1, 0, NaN where unknown; unknown entries never count). A metric that is undefined for a
class is NaN there, and that class is left out of the macro mean: AUROC and AUPRC need both labels among
the test samples, F1, precision and recall at least one positive. A decision by the argmax needs two scored
classes, and samples of two different ones: otherwise it is right, or wrong, by necessity.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prior_bench.errors import BenchError, unknown_name
from prior_bench.metrics.class_conditions import DESCRIBED as DESCRIBED
from prior_bench.metrics.class_conditions import has_choice as has_choice
from prior_bench.metrics.class_conditions import left_out as left_out
from prior_bench.metrics.class_conditions import unmet as unmet


@dataclass(frozen=True)
class Case:
    """What a metric may look at.

    Attributes:
        score, target: [N, C].
        exclusive: exactly one label per sample; a decision is then the argmax, not a threshold.
        thresholds: [C], from the validation split, for multi-label decisions; NaN where none could be chosen.
    """

    score: np.ndarray
    target: np.ndarray
    exclusive: bool = False
    thresholds: np.ndarray | None = None

    def decisions(self) -> np.ndarray:
        """Predicted labels, bool [N, C]."""
        if self.exclusive:
            return np.eye(self.score.shape[1], dtype=bool)[self.score.argmax(1)]
        return self.score >= (0.5 if self.thresholds is None else self.thresholds)

    def decided(self) -> np.ndarray:
        """Classes for which :meth:`decisions` mean something, bool [C]."""
        if self.exclusive:
            return np.full(self.score.shape[1], has_choice(self.score, self.target))
        return np.full(self.score.shape[1], True) if self.thresholds is None else ~np.isnan(self.thresholds)


def auroc(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Area under the ROC curve per class, [C] (one against the rest; ties count one half)."""
    return _per_class(_auroc, score, target)


def auprc(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Average precision per class, [C]."""
    return _per_class(_average_precision, score, target)


def best_f1_thresholds(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The threshold with the highest F1 per class, [C]; NaN where the class lacks one of the labels.

    The threshold is halfway between neighbouring scores, so that it does not depend on a single sample.
    """
    return _per_class(_best_f1_threshold, score, target)


def confusion(decisions: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, ...]:
    """True positives, false positives, false negatives and true negatives per class, each [C]."""
    positive, negative = target == 1, target == 0
    return (
        (decisions & positive).sum(0),
        (decisions & negative).sum(0),
        (~decisions & positive).sum(0),
        (~decisions & negative).sum(0),
    )


def f1(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """F1 per class, [C]."""
    tp, fp, fn, _ = confusion(decisions, target)
    return _ratio(2 * tp, 2 * tp + fp + fn, defined=tp + fn > 0)


def precision(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Precision per class, [C]; 0 where the class is never predicted."""
    tp, fp, fn, _ = confusion(decisions, target)
    return _ratio(tp, tp + fp, defined=tp + fn > 0)


def recall(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Recall per class, [C]."""
    tp, _, fn, _ = confusion(decisions, target)
    return _ratio(tp, tp + fn, defined=tp + fn > 0)


def binary_accuracy(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Share of known entries decided right, per class, [C]."""
    tp, fp, fn, tn = confusion(decisions, target)
    known = tp + fp + fn + tn
    return _ratio(tp + tn, known, defined=known > 0)


def top1_accuracy(score: np.ndarray, target: np.ndarray) -> float:
    """Share of samples whose highest score is on the true class (exclusive labels); NaN without a choice."""
    if not has_choice(score, target):
        return float("nan")
    return float((target[np.arange(len(score)), score.argmax(1)] == 1).mean())


def cohen_kappa(score: np.ndarray, target: np.ndarray) -> float:
    """Cohen's kappa of the argmax against the true class (exclusive labels); NaN where undefined."""
    if not has_choice(score, target):
        return float("nan")
    predicted, true = score.argmax(1), target.argmax(1)
    counts = [np.bincount(one, minlength=score.shape[1]) for one in (predicted, true)]
    by_luck = counts[0] @ counts[1] / len(true) ** 2
    return float("nan") if by_luck == 1 else float(((predicted == true).mean() - by_luck) / (1 - by_luck))


METRICS: dict[str, Callable[[Case], np.ndarray | float]] = {
    "auroc": lambda case: auroc(case.score, case.target),
    "auprc": lambda case: auprc(case.score, case.target),
    "accuracy": lambda case: (
        top1_accuracy(case.score, case.target)
        if case.exclusive
        else binary_accuracy(case.score >= 0.5, case.target)
    ),
    "f1": lambda case: _of_decisions(f1, case),
    "precision": lambda case: _of_decisions(precision, case),
    "recall": lambda case: _of_decisions(recall, case),
    "kappa": lambda case: cohen_kappa(case.score, case.target),
    "accuracy_at_threshold": lambda case: _of_decisions(binary_accuracy, case),
    "f1_at_half": lambda case: f1(case.score >= 0.5, case.target),
    "accuracy_best_on_test": lambda case: binary_accuracy(_best_on_test(case), case.target),
    "f1_best_on_test": lambda case: f1(_best_on_test(case), case.target),
    "f1_class_1": lambda case: _f1_class_1(case),
}
"""Metric variants by name. Exclusive labels are decided by the argmax. Multi-label ones by the thresholds
given (F1, precision, recall, ``accuracy_at_threshold``), by 0.5 (``accuracy``, ``f1_at_half``), or, which
flatters, by thresholds picked per class on the test labels (``*_best_on_test``; BenchX, MedKLIP and
CheXzero report it). ``f1_class_1``: F1 of the second class alone, or of a single label at 0.5
(BenchX's ``multiclass_f1``)."""

EXCLUSIVE_ONLY = ("kappa", "f1_class_1")
"""Metrics that need exactly one label per sample, or (``f1_class_1``) a single label."""


def check_metrics(
    metrics: tuple[str, ...], *, exclusive: bool, where: object = None, classes: int = 0
) -> list[BenchError]:
    """What is wrong with a protocol's list of metrics, for labels of this kind and number."""
    single = ("f1_class_1",) if classes == 1 else ()
    errors = [unknown_name("metric", m, list(METRICS), where=where) for m in metrics if m not in METRICS]
    errors += [
        BenchError(f"metric '{m}' needs exactly one label per image", where=where)
        for m in metrics
        if m in EXCLUSIVE_ONLY and m not in single and not exclusive
    ]
    return errors


def evaluate(
    score: np.ndarray,
    target: np.ndarray,
    classes: tuple[str, ...],
    metrics: tuple[str, ...],
    *,
    exclusive: bool = False,
    thresholds: np.ndarray | None = None,
) -> dict[str, float]:
    """The named metrics: the macro value as ``"auroc"``, class values as ``"auroc/Edema"``.

    Args:
        score, target: [N, C].
        classes: the C names.
        metrics: names in METRICS.
        exclusive, thresholds: see Case.

    Returns:
        Fractions in [0, 1] (kappa in [-1, 1]), NaN where undefined.
    """
    case = Case(score, target, exclusive, thresholds)
    values: dict[str, float] = {}
    for name in metrics:
        value = METRICS[name](case)
        if isinstance(value, float):
            values[name] = value
            continue
        values[name] = float(value[~np.isnan(value)].mean()) if (~np.isnan(value)).any() else float("nan")
        values |= {f"{name}/{c}": float(v) for c, v in zip(classes, value, strict=True)}
    return values


def trivial(
    target: np.ndarray,
    prevalence: np.ndarray,
    classes: tuple[str, ...],
    metrics: tuple[str, ...],
    *,
    exclusive: bool,
) -> dict[str, dict[str, float]]:
    """What predictors reach that do not look at the image.

    Args:
        target: [N, C], of the test samples.
        prevalence: [C], share of positives in the training labels (NaN where none is known).

    Returns:
        ``majority``: the same score for every image, the training prevalence; ``all_positive`` (multi-label):
        every finding in every image; ``chance``: a random score (and, for exclusive labels, a class drawn
        uniformly), where its expectation has a closed form.
    """
    constant = np.broadcast_to(np.nan_to_num(prevalence, nan=0.5), target.shape)
    majority = finite(evaluate(constant, target, classes, metrics, exclusive=exclusive))
    expected = {"auroc": 0.5, "kappa": 0.0, "accuracy": 0.5}
    expected |= {"accuracy": 1 / len(classes), "recall": 1 / len(classes)} if exclusive else {}
    chance = {name: expected[name] for name in metrics if name in expected}
    if "auprc" in metrics and "auprc" in majority:
        chance["auprc"] = majority["auprc"]
    values = {"chance": chance, "majority": majority}
    if not exclusive:
        values["all_positive"] = finite(evaluate(np.ones_like(target), target, classes, metrics))
    return values


def finite(values: dict[str, float]) -> dict[str, float]:
    """The values that are defined; what is undefined has no place in a record."""
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _per_class(metric: Callable, score: np.ndarray, target: np.ndarray) -> np.ndarray:
    known = ~np.isnan(target)
    values = []
    for c in range(target.shape[1]):
        positive = target[known[:, c], c] == 1
        both = positive.any() and not positive.all()
        values.append(metric(score[known[:, c], c], positive) if both else np.nan)
    return np.array(values, dtype=float)


def _auroc(score: np.ndarray, positive: np.ndarray) -> float:
    # Mann-Whitney's U: some fifty times faster than the curve, which counts when it is resampled
    from scipy.stats import rankdata

    n, m = int(positive.sum()), int((~positive).sum())
    return (rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m)


def _average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    # as scikit-learn's, without its checks: ten times faster, which counts when it is resampled
    hits, last_of_tie, _ = _ranked(score, positive)
    found, places = hits[last_of_tie], np.flatnonzero(last_of_tie) + 1
    return float((np.diff(found, prepend=0) * found / places).sum() / positive.sum())


def _best_f1_threshold(score: np.ndarray, positive: np.ndarray) -> float:
    hits, last_of_tie, ranked = _ranked(score, positive)
    value = np.where(last_of_tie, 2 * hits / (np.arange(1, len(score) + 1) + positive.sum()), -1)
    cut = int(value.argmax())
    below = ranked[cut + 1] if cut + 1 < len(ranked) else ranked[cut]
    return float((ranked[cut].astype(float) + below) / 2)


def _ranked(score: np.ndarray, positive: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """From the highest score down: positives so far, whether a tie ends here, the score."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    return positive[order].cumsum(), np.append(ranked[1:] != ranked[:-1], True), ranked


def _f1_class_1(case: Case) -> float:
    if not case.exclusive:  # one label: the second of two classes is its presence
        return float(f1(case.score[:, :1] >= 0.5, case.target[:, :1])[0])
    return float(_of_decisions(f1, case)[1]) if case.score.shape[1] > 1 else float("nan")


def _of_decisions(metric: Callable, case: Case) -> np.ndarray:
    return np.where(case.decided(), metric(case.decisions(), case.target), np.nan)


def _best_on_test(case: Case) -> np.ndarray:
    return case.score >= np.nan_to_num(best_f1_thresholds(case.score, case.target), nan=0.5)


def _ratio(above: np.ndarray, below: np.ndarray, *, defined: np.ndarray) -> np.ndarray:
    return np.where(defined, above / np.maximum(below, 1), np.nan)
