"""Metrics of object detection, by name.

Average precision is COCO's: detections of an image are matched to its true boxes greedily by decreasing
score; precision is made monotone and averaged at 101 recall levels. The variants differ in the IoU thresholds
and in the images that count, and their values are not comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.errors import unknown_name
from prior_bench.metrics.box_matching import centre_hits, match
from prior_bench.metrics.detections import Detections
from prior_bench.metrics.names import metric

IOU_40_75 = tuple(np.linspace(0.4, 0.75, 8))
"""IoU thresholds of the RSNA Pneumonia challenge (LoVT, arXiv 2112.02889; MGCA, arXiv 2210.06044)."""
IOU_COCO = tuple(np.linspace(0.5, 0.95, 10))
"""IoU thresholds of COCO."""
RECALLS = np.linspace(0.0, 1.0, 101)
"""Recall levels over which precision is averaged."""
FROC_BUDGETS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Numbers of false positives per image in the Object-CXR challenge."""


def average_precision(found: Detections, thresholds: Sequence[float]) -> np.ndarray:
    """Compute the AP per IoU threshold and class, float [thresholds, classes]; NaN without true boxes."""
    result = np.full((len(thresholds), found.classes), np.nan)
    for label in range(found.classes):
        one = found.of_class(label)
        if len(one.truth_box):
            matched = match(one, thresholds)
            result[:, label] = _precision_at_recalls(matched.score, matched.hit, len(one.truth_box))
    return result


def mean_average_precision(found: Detections, thresholds: Sequence[float]) -> float:
    """Compute the mean AP over thresholds and over classes with true boxes; NaN if no class has one."""
    values = average_precision(found, thresholds)
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")


def map_40_75(found: Detections) -> float:
    """Compute the mean AP over IoU 0.4, 0.45, ..., 0.75; all images count (LoVT's metric on RSNA)."""
    return mean_average_precision(found, IOU_40_75)


def coco_map(found: Detections) -> float:
    """Compute the mean AP over IoU 0.5, 0.55, ..., 0.95; all images count."""
    return mean_average_precision(found, IOU_COCO)


def ap_50(found: Detections) -> float:
    """Compute the AP at IoU 0.5; all images count."""
    return mean_average_precision(found, (0.5,))


def map_mgca_compat(found: Detections, confidence: float = 0.5) -> float:
    """Compute ``map_40_75`` with a defect of MGCA's code, which ignores most errors.

    Only images with a true box *and* a prediction of at least ``confidence`` count. Therefore, neither missed
    images nor false alarms on negative images lower the value (mgca/models/ssl_detector.py). It is 0 if no
    image counts, and NaN without true boxes.
    """
    if not len(found.truth_box):
        return float("nan")
    seen = seen_images(found, confidence)
    return map_40_75(seen) if len(seen.truth_box) else 0.0


def seen_images(found: Detections, confidence: float = 0.5) -> Detections:
    """Return the boxes of images with a true box and a prediction of at least ``confidence``."""
    found = found.keep(found.score >= confidence, np.ones(len(found.truth_sample), dtype=bool))
    seen = np.intersect1d(found.sample, found.truth_sample)
    return found.keep(np.isin(found.sample, seen), np.isin(found.truth_sample, seen))


def map_lovt(found: Detections) -> float:
    """Compute ``map_40_75`` as the library does that LoVT uses (mean_average_precision, compute_iou).

    All boxes, predicted and true, are a pixel of the detector's input longer and wider.
    """
    return map_40_75(a_pixel_larger(found))


def a_pixel_larger(found: Detections) -> Detections:
    """Return the boxes, predicted and true, a pixel of the detector's input longer and wider."""
    extended = []
    for box, sample in ((found.box, found.sample), (found.truth_box, found.truth_sample)):
        pixel = np.ones((len(box), 2)) if found.pixel is None else found.pixel[sample]
        extended.append(box + np.concatenate([np.zeros_like(pixel), pixel], axis=1))
    return found._replace(box=extended[0], truth_box=extended[1])


def froc(found: Detections) -> float:
    """Compute the mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives per image.

    A true box is hit by a prediction of its class whose centre lies in the box; one prediction may hit
    several boxes. If a budget of false positives is never used up, the final sensitivity counts. The value is
    NaN without true boxes.
    """
    if not len(found.truth_box):
        return float("nan")
    sensitivity, false_positives = _froc_curve(found)
    within = [false_positives <= budget * found.images for budget in FROC_BUDGETS]
    return float(np.mean([sensitivity[mask].max(initial=0.0) for mask in within]))


def froc_lovt(found: Detections) -> float:
    """Compute ``froc`` as LoVT does (src/metrics/detection_metrics.py).

    The sensitivity is recorded when a budget is reached. Budgets that are never reached repeat the last
    recorded sensitivity instead of the final one. If none was recorded, the final sensitivity counts. LoVT
    records one budget per prediction, which makes a difference with fewer than eight images only.
    """
    if not len(found.truth_box):
        return float("nan")
    sensitivity, false_positives = _froc_curve(found)
    recorded: list[float] = []
    for budget in FROC_BUDGETS:
        reached = np.flatnonzero(false_positives >= budget * found.images)
        last = recorded[-1] if recorded else sensitivity[-1]
        recorded.append(sensitivity[reached[0]] if len(reached) else last)
    return float(np.mean(recorded))


METRICS: dict[str, Callable[[Detections], float]] = {
    metric.__name__: metric
    for metric in (map_40_75, map_lovt, coco_map, ap_50, map_mgca_compat, froc, froc_lovt)
}
"""All metric variants by name."""

DESCRIBED = by_name(
    Metric(name, title=title, needs=("boxes",))
    for name, title in {
        "map_40_75": "mAP, IoU 0.4–0.75",
        "map_lovt": "mAP as LoVT counts",
        "coco_map": "mAP, IoU 0.5–0.95",
        "ap_50": "AP, IoU 0.5",
        "map_mgca_compat": "mAP as MGCA counts",
        "froc": "FROC",
        "froc_lovt": "FROC as LoVT counts",
    }.items()
)
"""Descriptions of the metrics by name."""


def score(found: Detections, names: tuple[str, ...]) -> dict[str, float]:
    """Compute the given metrics, as fractions.

    Raises:
        BenchError: a name is unknown.
    """
    for name in names:
        if name not in METRICS:
            raise unknown_name("detection metric", name, list(METRICS))
    return {name: metric(name, METRICS)(found) for name in names}


def _precision_at_recalls(scores: np.ndarray, hits: np.ndarray, positives: int) -> np.ndarray:
    """Average the precision over the 101 recall levels, one value per row of hits [thresholds, D']."""
    if scores.size == 0:
        return np.zeros(len(hits))
    ordered = hits[:, np.argsort(-scores, kind="stable")]
    true = np.cumsum(ordered, axis=1)
    precision = true / np.arange(1, ordered.shape[1] + 1)
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    values = []
    for recall, curve in zip(true / positives, envelope, strict=True):
        at = np.searchsorted(recall, RECALLS, side="left")
        values.append(np.where(at < len(curve), curve[np.minimum(at, len(curve) - 1)], 0.0).mean())
    return np.asarray(values)


def _froc_curve(found: Detections) -> tuple[np.ndarray, np.ndarray]:
    """Return sensitivity and number of false positives after 0, 1, 2, … predictions by decreasing score."""
    curve = centre_hits(found)
    return np.append(0, curve.hits.cumsum()) / len(found.truth_box), np.append(0, curve.missed.cumsum())
