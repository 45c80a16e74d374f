"""Descriptions of the classification metrics, and the conditions under which labels define them."""

import numpy as np

from prior_bench.api import Metric, by_name

_ARGMAX = ("two_scored_classes", "two_classes")

DESCRIBED = by_name(
    (
        Metric("auroc", title="AUROC", chance=0.5, needs=("both_labels",), parts="class", error="delong"),
        Metric("auprc", title="AUPRC", needs=("both_labels",), parts="class"),
        Metric("accuracy", needs=("both_labels", *_ARGMAX), parts="class"),
        Metric("f1", title="F1", needs=("positives", *_ARGMAX), parts="class"),
        Metric("precision", needs=("positives", *_ARGMAX), parts="class"),
        Metric("recall", needs=("positives", *_ARGMAX), parts="class"),
        Metric("kappa", title="Cohen's kappa", bounds=(-1.0, 1.0), chance=0.0, needs=_ARGMAX),
        Metric("accuracy_at_threshold", needs=("both_labels", *_ARGMAX), parts="class"),
        Metric("f1_at_half", title="F1 at 0.5", needs=("positives",), parts="class"),
        Metric(
            "accuracy_best_on_test",
            title="accuracy, threshold chosen on test",
            needs=("both_labels",),
            parts="class",
        ),
        Metric(
            "f1_best_on_test", title="F1, threshold chosen on test", needs=("both_labels",), parts="class"
        ),
        Metric("f1_class_1", title="F1 of class 1", needs=("positives", *_ARGMAX)),
    )
)
"""The metrics of :mod:`prior_bench.metrics.classification`.

Multi-label decisions always fulfil the conditions of the argmax."""


def has_choice(score: np.ndarray, target: np.ndarray) -> bool:
    """Whether an argmax can be right or wrong: two classes are scored, and two occur in the samples."""
    return score.shape[1] >= 2 and int((target == 1).any(0).sum()) >= 2


def unmet(
    score: np.ndarray, target: np.ndarray, *, exclusive: bool, judged: np.ndarray | None = None
) -> list[str]:
    """Return the conditions of :data:`prior_bench.metrics.defined.REASONS` that the labels do not meet.

    Args:
        score, target: [N, C]. exclusive: whether the argmax decides.
        judged: bool [N], samples on which the argmax is evaluated; by default all.
    """
    chosen = target if judged is None else target[judged]
    holds = {
        "both_labels": not left_out(target).all(),
        "positives": bool((chosen == 1).any()),
        "two_scored_classes": not exclusive or score.shape[1] >= 2,
        "two_classes": not exclusive or int((chosen == 1).any(0).sum()) >= 2,
    }
    return [condition for condition, met in holds.items() if not met]


def left_out(target: np.ndarray) -> np.ndarray:
    """Return the classes without both labels, bool [C]; AUROC and AUPRC leave them out."""
    return ~((target == 1).any(0) & (target == 0).any(0))
