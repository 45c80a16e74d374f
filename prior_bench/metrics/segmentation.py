"""Metrics of binary segmentation; each of the field's variants of "Dice" has its own name.

All are computed from four pixel counts per image: true and false positives, false and true negatives. Their
values are not comparable: a predictor that always answers "empty" reaches 0 in ``dice_micro``, about 0.49 in
``mdice`` and the share of negative images in ``dice_per_image_empty1``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.errors import unknown_name
from prior_bench.metrics.names import metric

_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)
"""Number of set bits of each byte."""


class Counts(NamedTuple):
    """Pixel counts per image: true and false positives, false and true negatives, each int64 [N]."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray


def count(prediction: np.ndarray, target: np.ndarray) -> Counts:
    """Count the pixels of binary masks [N, H, W] (values other than zero are foreground)."""
    prediction = np.asarray(prediction, dtype=bool).reshape(len(prediction), -1)
    target = np.asarray(target, dtype=bool).reshape(len(target), -1)
    tp = (prediction & target).sum(axis=1)
    fp, fn = prediction.sum(axis=1) - tp, target.sum(axis=1) - tp
    return Counts(tp, fp, fn, prediction.shape[1] - tp - fp - fn)


def count_packed(prediction: np.ndarray, target: np.ndarray, pixels: int) -> Counts:
    """Count the pixels of binary masks that are packed to bits, uint8 [N, ceil(pixels / 8)]."""
    tp = _ONES[prediction & target].sum(axis=1, dtype=np.int64)
    fp = _ONES[prediction].sum(axis=1, dtype=np.int64) - tp
    fn = _ONES[target].sum(axis=1, dtype=np.int64) - tp
    return Counts(tp, fp, fn, pixels - tp - fp - fn)


def dice_per_image_empty1(counts: Counts) -> float:
    """Compute the mean Dice over images, with 1 if prediction and target are empty; NaN without foreground.

    This is the metric of GLoRIA (gloria/lightning/segmentation_model.py) and MGCA
    (mgca/models/ssl_segmenter.py), without their average over batches. An image without foreground scores
    either 1 or 0; if all targets were empty, the metric would only count empty predictions.
    """
    if not _has_foreground(counts):
        return float("nan")
    return float(np.mean(_dice(counts.tp, counts.fp, counts.fn)))


def dice_positives(counts: Counts) -> float:
    """Compute the mean Dice over images whose target is not empty; NaN if there are none."""
    positive = (counts.tp + counts.fn) > 0
    if not positive.any():
        return float("nan")
    return float(np.mean(_dice(counts.tp, counts.fp, counts.fn)[positive]))


def dice_micro(counts: Counts) -> float:
    """Compute the foreground Dice over all pixels (LoVT, arXiv 2112.02889); NaN without foreground."""
    if not _has_foreground(counts):
        return float("nan")
    return float(_dice(counts.tp.sum(), counts.fp.sum(), counts.fn.sum()))


def mdice(counts: Counts) -> float:
    """Compute the mean ``dice_micro`` of foreground and background; NaN without foreground.

    This is the mDice of mmseg's IoUMetric, which BenchX uses.
    """
    background = _dice(counts.tn.sum(), counts.fn.sum(), counts.fp.sum())
    return (dice_micro(counts) + float(background)) / 2


def iou(counts: Counts) -> float:
    """Compute the foreground intersection over union over all pixels; NaN without foreground."""
    if not _has_foreground(counts):
        return float("nan")
    union = counts.tp.sum() + counts.fp.sum() + counts.fn.sum()
    return float(counts.tp.sum() / union)


METRICS: dict[str, Callable[[Counts], float]] = {
    metric.__name__: metric for metric in (dice_positives, dice_per_image_empty1, dice_micro, mdice, iou)
}
"""All metric variants by name."""

DESCRIBED = by_name(
    Metric(name, title=title, needs=("foreground",))
    for name, title in {
        "dice_positives": "Dice, positive images",
        "dice_per_image_empty1": "Dice per image (both empty: 1)",
        "dice_micro": "Dice, all pixels together",
        "mdice": "mDice",
        "iou": "IoU",
    }.items()
)
"""Descriptions of the metrics by name."""


def score(counts: Counts, names: tuple[str, ...]) -> dict[str, float]:
    """Compute the given metrics, as fractions.

    Raises:
        BenchError: a name is unknown.
    """
    for name in names:
        if name not in METRICS:
            raise unknown_name("segmentation metric", name, list(METRICS))
    return {name: metric(name, METRICS)(counts) for name in names}


def trivial(counts: Counts, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """Compute the metrics of two predictors that do not look at the image, for the same targets."""
    zero = np.zeros_like(counts.tp)
    foreground, background = counts.tp + counts.fn, counts.fp + counts.tn
    return {
        "all_empty": score(Counts(zero, zero, foreground, background), names),
        "all_foreground": score(Counts(foreground, background, zero, zero), names),
    }


def _has_foreground(counts: Counts) -> bool:
    return bool((counts.tp + counts.fn).any())


def _dice(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    size = 2 * tp + fp + fn
    return np.where(size > 0, 2 * tp / np.maximum(size, 1), 1.0)
