"""Detection metrics on many resamples at once, each given by how often it contains each image.

Boxes are matched once, since a match does not leave its image. Values are those of
:mod:`prior_bench.metrics.detection` on the repeated images, but boxes of one score always keep the order of
their images.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from prior_bench.metrics.box_matching import centre_hits, match
from prior_bench.metrics.detection import (
    FROC_BUDGETS,
    IOU_40_75,
    IOU_COCO,
    RECALLS,
    a_pixel_larger,
    seen_images,
)
from prior_bench.metrics.detections import Detections

COUNTS_AT_ONCE = 2**22
"""Number of resamples times boxes whose counts are in memory at once."""


def evaluate(found: Detections, metrics: tuple[str, ...], counts: np.ndarray) -> dict[str, np.ndarray] | None:
    """Compute metrics on resamples.

    Args:
        found: boxes of N images.
        metrics: names in :data:`prior_bench.metrics.detection.METRICS`.
        counts: int [D, N], how often each of D resamples contains each image.

    Returns:
        Float [D] per metric; None if one of them is not computed from counts.
    """
    if any(name not in METRICS for name in metrics):
        return None
    step = max(1, COUNTS_AT_ONCE // max(1, len(found.box)))
    blocks = [counts[first : first + step] for first in range(0, len(counts), step)]
    return {
        name: np.concatenate([METRICS[name](found, block) for block in blocks]) for name in metrics if blocks
    }


def mean_average_precision(found: Detections, counts: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Compute the mean AP over thresholds and classes with true boxes, [D]; NaN if no class has one."""
    total, classes = np.zeros(len(counts)), np.zeros(len(counts), dtype=int)
    for label in range(found.classes):
        one = found.of_class(label)
        positives = counts[:, one.truth_sample].sum(axis=1)
        total += np.where(positives > 0, _average_precision(one, counts, thresholds), 0.0)
        classes += positives > 0
    return np.where(classes > 0, total / np.maximum(classes, 1), np.nan)


def _average_precision(one: Detections, counts: np.ndarray, thresholds: Sequence[float]) -> np.ndarray:
    """Compute the AP of one class, [D], the mean over the IoU thresholds; 0 without true boxes."""
    matched = match(one, thresholds)
    order = np.argsort(-matched.score, kind="stable")
    drawn = counts[:, matched.sample[order]]
    positives, boxes = counts[:, one.truth_sample].sum(axis=1), np.cumsum(drawn, axis=1)
    values = np.zeros((len(counts), len(thresholds)))
    for column, hit in enumerate(matched.hit[:, order]):
        # the precision is highest, and a recall is reached, at hits only
        at = np.flatnonzero(hit)
        true = np.cumsum(drawn[:, at], axis=1)
        precision = true / np.maximum(boxes[:, at], 1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        for row, total in enumerate(positives):
            if total:
                values[row, column] = _at_recalls(true[row] / total, envelope[row])
    return values.mean(axis=1)


def _at_recalls(recall: np.ndarray, envelope: np.ndarray) -> float:
    """Average the precision over the recall levels, given both after each of H hits."""
    reached = np.searchsorted(recall, RECALLS, side="left")
    return float(np.append(envelope, 0.0)[reached].mean())


def map_mgca_compat(found: Detections, counts: np.ndarray) -> np.ndarray:
    """See :func:`prior_bench.metrics.detection.map_mgca_compat`; [D]."""
    value = mean_average_precision(seen_images(found), counts, IOU_40_75)
    return np.where(_true_boxes(found, counts) > 0, np.nan_to_num(value, nan=0.0), np.nan)


def froc(found: Detections, counts: np.ndarray) -> np.ndarray:
    """See :func:`prior_bench.metrics.detection.froc`; [D]."""
    sensitivity, false_positives = _froc_curves(found, counts)
    images = counts.sum(axis=1, keepdims=True)
    values = [
        np.where(false_positives <= budget * images, sensitivity, 0).max(axis=1) for budget in FROC_BUDGETS
    ]
    return np.where(_true_boxes(found, counts) > 0, np.mean(values, axis=0), np.nan)


def froc_lovt(found: Detections, counts: np.ndarray) -> np.ndarray:
    """See :func:`prior_bench.metrics.detection.froc_lovt`; [D]."""
    sensitivity, false_positives = _froc_curves(found, counts)
    images, row = counts.sum(axis=1, keepdims=True), np.arange(len(counts))
    values: list[np.ndarray] = []
    for budget in FROC_BUDGETS:
        reached = false_positives >= budget * images
        last = values[-1] if values else sensitivity[:, -1]
        values.append(np.where(reached.any(axis=1), sensitivity[row, reached.argmax(axis=1)], last))
    return np.where(_true_boxes(found, counts) > 0, np.mean(values, axis=0), np.nan)


def _froc_curves(found: Detections, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sensitivity and false positives after 0, 1, … predictions by decreasing score, [D, D']."""
    curve, start = centre_hits(found), np.zeros((len(counts), 1))
    drawn = counts[:, curve.sample]
    hits, missed = (np.cumsum(drawn * of, axis=1) for of in (curve.hits, curve.missed))
    boxes = np.maximum(_true_boxes(found, counts), 1)[:, None]
    return np.hstack([start, hits / boxes]), np.hstack([start, missed])


def _true_boxes(found: Detections, counts: np.ndarray) -> np.ndarray:
    """Count the true boxes of each resample, int [D]."""
    return counts[:, found.truth_sample].sum(axis=1)


METRICS: dict[str, Callable[[Detections, np.ndarray], np.ndarray]] = {
    "map_40_75": lambda found, counts: mean_average_precision(found, counts, IOU_40_75),
    "map_lovt": lambda found, counts: mean_average_precision(a_pixel_larger(found), counts, IOU_40_75),
    "coco_map": lambda found, counts: mean_average_precision(found, counts, IOU_COCO),
    "ap_50": lambda found, counts: mean_average_precision(found, counts, (0.5,)),
    "map_mgca_compat": map_mgca_compat,
    "froc": froc,
    "froc_lovt": froc_lovt,
}
"""The metrics of :data:`prior_bench.metrics.detection.METRICS`."""
