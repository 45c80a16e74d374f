"""Metrics of object detection, by name.

Average precision is COCO's: detections of an image are matched to its true boxes greedily by decreasing
score; precision is made monotone and averaged at 101 recall levels. The variants differ in the IoU thresholds
and in the images that count, and their values are not comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from prior_bench.api import Metric, by_name
from prior_bench.errors import unknown_name
from prior_bench.metrics.detections import Detections
from prior_bench.metrics.names import metric

IOU_40_75 = tuple(np.linspace(0.4, 0.75, 8))
"""IoU thresholds of the RSNA Pneumonia challenge (LoVT, arXiv 2112.02889; MGCA, arXiv 2210.06044)."""
IOU_COCO = tuple(np.linspace(0.5, 0.95, 10))
"""IoU thresholds of COCO."""
RECALLS = np.linspace(0.0, 1.0, 101)
"""Recall levels over which precision is averaged."""
MAX_DETECTIONS = 100
"""Number of detections per image and class that count; those with the highest scores."""
FROC_BUDGETS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Numbers of false positives per image in the Object-CXR challenge."""


def pairwise_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute the intersection over union [n, m] of boxes [n, 4] and [m, 4]."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    area = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = area[0][:, None] + area[1][None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def average_precision(found: Detections, thresholds: Sequence[float]) -> np.ndarray:
    """Compute the AP per IoU threshold and class, float [thresholds, classes]; NaN without true boxes."""
    result = np.full((len(thresholds), found.classes), np.nan)
    for label in range(found.classes):
        one = found.of_class(label)
        if len(one.truth_box):
            scores, hits = _match(one, np.asarray(thresholds, dtype=np.float64))
            result[:, label] = _precision_at_recalls(scores, hits, len(one.truth_box))
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
    found = found.keep(found.score >= confidence, np.ones(len(found.truth_sample), dtype=bool))
    seen = np.intersect1d(found.sample, found.truth_sample)
    if not len(seen):
        return 0.0
    return map_40_75(found.keep(np.isin(found.sample, seen), np.isin(found.truth_sample, seen)))


def map_lovt(found: Detections) -> float:
    """Compute ``map_40_75`` as the library does that LoVT uses (mean_average_precision, compute_iou).

    All boxes, predicted and true, are a pixel of the detector's input longer and wider.
    """
    extended = []
    for box, sample in ((found.box, found.sample), (found.truth_box, found.truth_sample)):
        pixel = np.ones((len(box), 2)) if found.pixel is None else found.pixel[sample]
        extended.append(box + np.concatenate([np.zeros_like(pixel), pixel], axis=1))
    return map_40_75(found._replace(box=extended[0], truth_box=extended[1]))


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


def _match(one: Detections, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Match one class greedily; return scores [D'] and whether each is a hit, bool [thresholds, D']."""
    order = np.lexsort((-one.score, one.sample))
    sample, score = one.sample[order], one.score[order]
    box, truth_box = one.box[order].astype(np.float64), one.truth_box.astype(np.float64)
    scores, hits = [], []
    for image in np.unique(sample):
        first, last = np.searchsorted(sample, [image, image + 1])
        last = min(last, first + MAX_DETECTIONS)
        truth = truth_box[one.truth_sample == image]
        hits.append(_hits_in_image(box[first:last].tobytes(), truth.tobytes(), thresholds.tobytes()))
        scores.append(score[first:last])
    if not scores:
        return np.zeros(0), np.zeros((len(thresholds), 0), dtype=bool)
    return np.concatenate(scores), np.concatenate(hits, axis=1)


@lru_cache(maxsize=8192)
def _hits_in_image(box: bytes, truth: bytes, thresholds: bytes) -> np.ndarray:
    """Return hits, bool [thresholds, n], for the boxes of one image by decreasing score.

    Arguments are the bytes of float64 arrays. Results are cached, because a bootstrap repeats images.
    """
    boxes, true_boxes = (np.frombuffer(one).reshape(-1, 4) for one in (box, truth))
    overlap = pairwise_iou(boxes, true_boxes)
    return np.stack([_greedy(overlap, threshold) for threshold in np.frombuffer(thresholds)])


def _greedy(overlap: np.ndarray, threshold: float) -> np.ndarray:
    """Return hits, bool [n], for IoU [n, m] with rows by decreasing score; each true box is used once."""
    free = overlap.copy()
    hit = np.zeros(len(overlap), dtype=bool)
    if overlap.shape[1] == 0:
        return hit
    for row in np.flatnonzero(overlap.max(axis=1) >= threshold):
        # among equally good boxes, COCO uses the last one
        best = overlap.shape[1] - 1 - int(np.argmax(free[row, ::-1]))
        if free[row, best] >= threshold:
            hit[row] = True
            free[:, best] = -1.0
    return hit


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
    order = np.argsort(-found.score, kind="stable")
    row, truth = _pairs_of_an_image(found.sample[order], found.truth_sample)
    box, true_box = found.box[order[row]], found.truth_box[truth]
    centre = (box[:, :2] + box[:, 2:]) / 2
    inside = (found.label[order[row]] == found.truth_label[truth]) & (
        (centre >= true_box[:, :2]) & (centre <= true_box[:, 2:])
    ).all(axis=1)
    predictions, boxes = len(order), len(found.truth_box)
    first_hit = np.full(boxes, predictions)
    np.minimum.at(first_hit, truth[inside], row[inside])
    hits = np.bincount(first_hit, minlength=predictions + 1)[:predictions]
    missed = np.bincount(row[inside], minlength=predictions) == 0
    return np.append(0, hits.cumsum()) / boxes, np.append(0, missed.cumsum())


def _pairs_of_an_image(sample: np.ndarray, truth_sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of all pairs of a prediction [D] and a true box [T] of the same image."""
    by_image = np.argsort(truth_sample, kind="stable")
    first, last = (np.searchsorted(truth_sample[by_image], sample, side=side) for side in ("left", "right"))
    count = last - first
    row = np.repeat(np.arange(len(sample)), count)
    within = np.arange(len(row)) - np.repeat(count.cumsum() - count, count)
    return row, by_image[first[row] + within]
