"""Matching of predicted boxes to true ones: by overlap, as COCO does, or by their centres."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from prior_bench.metrics.detections import Detections

MAX_DETECTIONS = 100
"""Number of detections per image and class that count; those with the highest scores."""


def pairwise_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Compute the intersection over union [n, m] of boxes [n, 4] and [m, 4]."""
    first, second = first.astype(np.float64), second.astype(np.float64)
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    area = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    union = area[0][:, None] + area[1][None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


class Matched(NamedTuple):
    """The predicted boxes that count (D'), by image and decreasing score.

    Attributes:
        sample: int [D'], image.
        score: float [D'].
        hit: bool [thresholds, D'], whether a true box is matched.
    """

    sample: np.ndarray
    score: np.ndarray
    hit: np.ndarray


def match(one: Detections, thresholds: Sequence[float]) -> Matched:
    """Match the predicted boxes of one class to the true ones, greedily in each image."""
    wanted = np.asarray(thresholds, dtype=np.float64).tobytes()
    order = np.lexsort((-one.score, one.sample))
    sample, score = one.sample[order], one.score[order]
    box, truth_box = one.box[order].astype(np.float64), one.truth_box.astype(np.float64)
    samples, scores, hits = [], [], []
    for image in np.unique(sample):
        first, last = np.searchsorted(sample, [image, image + 1])
        last = min(last, first + MAX_DETECTIONS)
        truth = truth_box[one.truth_sample == image]
        hits.append(_hits_in_image(box[first:last].tobytes(), truth.tobytes(), wanted))
        samples.append(sample[first:last])
        scores.append(score[first:last])
    if not scores:
        return Matched(np.zeros(0, int), np.zeros(0), np.zeros((len(thresholds), 0), dtype=bool))
    return Matched(np.concatenate(samples), np.concatenate(scores), np.concatenate(hits, axis=1))


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


class CentreHits(NamedTuple):
    """The predicted boxes (D) of all classes by decreasing score, and what their centres hit.

    Attributes:
        sample: int [D], image.
        hits: int [D], true boxes that no box before hits.
        missed: bool [D], whether no true box is hit.
    """

    sample: np.ndarray
    hits: np.ndarray
    missed: np.ndarray


def centre_hits(found: Detections) -> CentreHits:
    """Find the true boxes in which the centres of predicted boxes of their class lie."""
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
    return CentreHits(found.sample[order], hits, missed)


def _pairs_of_an_image(sample: np.ndarray, truth_sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of all pairs of a prediction [D] and a true box [T] of the same image."""
    by_image = np.argsort(truth_sample, kind="stable")
    first, last = (np.searchsorted(truth_sample[by_image], sample, side=side) for side in ("left", "right"))
    count = last - first
    row = np.repeat(np.arange(len(sample)), count)
    within = np.arange(len(row)) - np.repeat(count.cumsum() - count, count)
    return row, by_image[first[row] + within]
