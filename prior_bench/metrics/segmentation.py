"""Metrics of binary segmentation, each under a name that says which of the field's "Dice" it is.

All of them are computed from four pixel counts per image: true and false positives, false and true
negatives. They are not comparable with each other: a predictor that always answers "empty" scores 0
under ``dice_micro``, about 0.49 under ``mdice`` and the share of negative images under
``dice_per_image_empty1``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.errors import unknown_name

_ONES = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.uint8)
"""Number of set bits of each byte."""


class Counts(NamedTuple):
    """Pixel counts per image, int64 [N] each."""

    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray


def count(prediction: np.ndarray, target: np.ndarray) -> Counts:
    """Counts of binary masks [N, H, W] (anything above zero is foreground)."""
    prediction = np.asarray(prediction, dtype=bool).reshape(len(prediction), -1)
    target = np.asarray(target, dtype=bool).reshape(len(target), -1)
    tp = (prediction & target).sum(axis=1)
    fp, fn = prediction.sum(axis=1) - tp, target.sum(axis=1) - tp
    return Counts(tp, fp, fn, prediction.shape[1] - tp - fp - fn)


def count_packed(prediction: np.ndarray, target: np.ndarray, pixels: int) -> Counts:
    """Counts of binary masks of ``pixels`` pixels each, packed to bits: uint8 [N, ceil(pixels / 8)]."""
    tp = _ONES[prediction & target].sum(axis=1, dtype=np.int64)
    fp = _ONES[prediction].sum(axis=1, dtype=np.int64) - tp
    fn = _ONES[target].sum(axis=1, dtype=np.int64) - tp
    return Counts(tp, fp, fn, pixels - tp - fp - fn)


def dice_per_image_empty1(counts: Counts) -> float:
    """Mean over images of the Dice of each; 1 where prediction and target are both empty. NaN where every
    target is empty: it would then only count empty predictions.

    GLoRIA (gloria/lightning/segmentation_model.py) and MGCA (mgca/models/ssl_segmenter.py), without
    their averaging over batches first. An image without foreground scores 1 or 0, nothing between.
    """
    if not _has_foreground(counts):
        return float("nan")
    return float(np.mean(_dice(counts.tp, counts.fp, counts.fn)))


def dice_positives(counts: Counts) -> float:
    """Mean Dice over the images whose target is not empty; NaN where there is none."""
    positive = (counts.tp + counts.fn) > 0
    if not positive.any():
        return float("nan")
    return float(np.mean(_dice(counts.tp, counts.fp, counts.fn)[positive]))


def dice_micro(counts: Counts) -> float:
    """Foreground Dice over the pixels of all images together (LoVT, arXiv 2112.02889); NaN without any."""
    if not _has_foreground(counts):
        return float("nan")
    return float(_dice(counts.tp.sum(), counts.fp.sum(), counts.fn.sum()))


def mdice(counts: Counts) -> float:
    """Mean of the foreground's and the background's ``dice_micro`` (mmseg IoUMetric, BenchX); NaN without
    foreground."""
    background = _dice(counts.tn.sum(), counts.fn.sum(), counts.fp.sum())
    return (dice_micro(counts) + float(background)) / 2


def iou(counts: Counts) -> float:
    """Foreground intersection over union over the pixels of all images together; NaN without foreground."""
    if not _has_foreground(counts):
        return float("nan")
    union = counts.tp.sum() + counts.fp.sum() + counts.fn.sum()
    return float(counts.tp.sum() / union)


METRICS: dict[str, Callable[[Counts], float]] = {
    metric.__name__: metric for metric in (dice_positives, dice_per_image_empty1, dice_micro, mdice, iou)
}
"""All variants by name."""

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
"""What the metrics mean."""


def score(counts: Counts, names: tuple[str, ...]) -> dict[str, float]:
    """The named metrics, as fractions.

    Raises:
        BenchError: unknown name.
    """
    for name in names:
        if name not in METRICS:
            raise unknown_name("segmentation metric", name, list(METRICS))
    return {name: METRICS[name](counts) for name in names}


def trivial(counts: Counts, names: tuple[str, ...]) -> dict[str, dict[str, float]]:
    """The same metrics for two predictors that do not look at the image, on the same targets."""
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
