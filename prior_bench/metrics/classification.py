"""Classification metrics on NumPy arrays; each variant has its own name.

Arguments are ``score`` [N, C] (higher means more likely; probabilities if a threshold is used) and ``target``
[N, C] (1, 0, or NaN for unknown entries, which never count). If a metric is undefined for a class, its value
is NaN and the macro mean leaves the class out. AUROC and AUPRC need both labels among the test samples; F1,
precision and recall need at least one positive. A decision by the argmax needs at least two scored classes
and samples of two classes; otherwise it is always right or always wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from prior_bench.errors import BenchError, unknown_name
from prior_bench.metrics.class_conditions import DESCRIBED as DESCRIBED
from prior_bench.metrics.class_conditions import has_choice as has_choice
from prior_bench.metrics.class_conditions import left_out as left_out
from prior_bench.metrics.class_conditions import unmet as unmet
from prior_bench.metrics.names import metric


@dataclass(frozen=True)
class Case:
    """The data that a metric may use.

    Attributes:
        score, target: [N, C].
        exclusive: whether each sample has exactly one label; the argmax then decides instead of thresholds.
        thresholds: [C], chosen on the validation split, for multi-label decisions; NaN if none could be
            chosen.
    """

    score: np.ndarray
    target: np.ndarray
    exclusive: bool = False
    thresholds: np.ndarray | None = None

    def decisions(self) -> np.ndarray:
        """Return the predicted labels, bool [N, C]."""
        if self.exclusive:
            return np.eye(self.score.shape[1], dtype=bool)[self.score.argmax(1)]
        return self.score >= (0.5 if self.thresholds is None else self.thresholds)

    def decided(self) -> np.ndarray:
        """Return the classes for which :meth:`decisions` are meaningful, bool [C]."""
        if self.exclusive:
            return np.full(self.score.shape[1], has_choice(self.score, self.target))
        return np.full(self.score.shape[1], True) if self.thresholds is None else ~np.isnan(self.thresholds)


def auroc(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the area under the ROC curve per class, [C] (one against the rest; ties count one half)."""
    return _per_class(_auroc, score, target)


def auprc(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the average precision per class, [C]."""
    return _per_class(_average_precision, score, target)


def best_f1_thresholds(score: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find the threshold with the highest F1 per class, [C]; NaN if the class lacks one of the labels.

    It is halfway between neighbouring scores, so that it does not depend on a single sample.
    """
    return _per_class(_best_f1_threshold, score, target)


def confusion(decisions: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, ...]:
    """Count true positives, false positives, false negatives and true negatives per class, each [C]."""
    positive, negative = target == 1, target == 0
    return (
        (decisions & positive).sum(0),
        (decisions & negative).sum(0),
        (~decisions & positive).sum(0),
        (~decisions & negative).sum(0),
    )


def f1(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute F1 per class, [C]; NaN without positives."""
    tp, fp, fn, _ = confusion(decisions, target)
    return _ratio(2 * tp, 2 * tp + fp + fn, defined=tp + fn > 0)


def precision(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the precision per class, [C]; 0 if the class is never predicted, NaN without positives."""
    tp, fp, fn, _ = confusion(decisions, target)
    return _ratio(tp, tp + fp, defined=tp + fn > 0)


def recall(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the recall per class, [C]; NaN without positives."""
    tp, _, fn, _ = confusion(decisions, target)
    return _ratio(tp, tp + fn, defined=tp + fn > 0)


def binary_accuracy(decisions: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Compute the share of known entries that are decided correctly, per class, [C]."""
    tp, fp, fn, tn = confusion(decisions, target)
    known = tp + fp + fn + tn
    return _ratio(tp + tn, known, defined=known > 0)


def top1_accuracy(score: np.ndarray, target: np.ndarray) -> float:
    """Compute the share of samples whose highest score is on the true class; NaN without a choice.

    Labels must be exclusive. For a choice, see :func:`has_choice`.
    """
    if not has_choice(score, target):
        return float("nan")
    return float((target[np.arange(len(score)), score.argmax(1)] == 1).mean())


def cohen_kappa(score: np.ndarray, target: np.ndarray) -> float:
    """Compute Cohen's kappa of the argmax and the true class (exclusive labels); NaN if undefined."""
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
"""Metric variants by name. For exclusive labels, the argmax decides. For multi-label data, decisions use the
given thresholds (F1, precision, recall, ``accuracy_at_threshold``), 0.5 (``accuracy``, ``f1_at_half``), or
thresholds chosen per class on the test labels (``*_best_on_test``, which is optimistic; BenchX, MedKLIP and
CheXzero report it). ``f1_class_1`` is the F1 of the second class alone, or of a single label at 0.5 (BenchX's
``multiclass_f1``)."""

EXCLUSIVE_ONLY = ("kappa", "f1_class_1")
"""Metrics that need exactly one label per sample, or (``f1_class_1``) a single label."""


def check_metrics(
    metrics: tuple[str, ...], *, exclusive: bool, where: object = None, classes: int = 0
) -> list[BenchError]:
    """Return the errors in a protocol's list of metrics for labels of this kind and number."""
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
    """Compute the given metrics: macro values (``"auroc"``) and values of classes (``"auroc/Edema"``).

    Args:
        score: [N, C].
        target: [N, C].
        classes: names of the C classes.
        metrics: names in METRICS.
        exclusive: see :class:`Case`.
        thresholds: see :class:`Case`.

    Returns:
        Fractions in [0, 1] (kappa: in [-1, 1]); NaN if undefined.
    """
    case = Case(score, target, exclusive, thresholds)
    values: dict[str, float] = {}
    for name in metrics:
        value = metric(name, METRICS)(case)
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
    """Compute the metrics of predictors that do not look at the image.

    Args:
        target: [N, C], targets of the test samples.
        prevalence: [C], share of positives in the training labels (NaN if no label is known).

    Returns:
        Metrics by predictor. ``majority`` scores every image with the training prevalence; ``all_positive``
        (multi-label) predicts every finding in every image; ``chance`` is a random score (for exclusive
        labels, a uniformly drawn class), for metrics whose expectation has a closed form.
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
    """Return the defined values; records do not contain undefined ones."""
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
    # Mann-Whitney's U is about fifty times faster than the curve, which matters in resampling
    from scipy.stats import rankdata

    n, m = int(positive.sum()), int((~positive).sum())
    return (rankdata(score)[positive].sum() - n * (n + 1) / 2) / (n * m)


def _average_precision(score: np.ndarray, positive: np.ndarray) -> float:
    # as in scikit-learn, without its checks: ten times faster, which matters in resampling
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
    """Rank by decreasing score: return cumulated positives, whether a tie ends, and the scores."""
    order = np.argsort(-score, kind="stable")
    ranked = score[order]
    return positive[order].cumsum(), np.append(ranked[1:] != ranked[:-1], True), ranked


def _f1_class_1(case: Case) -> float:
    if not case.exclusive:  # for one label, the second of two classes is its presence
        return float(f1(case.score[:, :1] >= 0.5, case.target[:, :1])[0])
    return float(_of_decisions(f1, case)[1]) if case.score.shape[1] > 1 else float("nan")


def _of_decisions(metric: Callable, case: Case) -> np.ndarray:
    return np.where(case.decided(), metric(case.decisions(), case.target), np.nan)


def _best_on_test(case: Case) -> np.ndarray:
    return case.score >= np.nan_to_num(best_f1_thresholds(case.score, case.target), nan=0.5)


def _ratio(above: np.ndarray, below: np.ndarray, *, defined: np.ndarray) -> np.ndarray:
    return np.where(defined, above / np.maximum(below, 1), np.nan)
