"""Boxes of several readers made one: weighted boxes fusion (Solovyev et al. 2021) with equal weights."""

from __future__ import annotations

import numpy as np


def fuse_boxes(boxes: np.ndarray, readers: np.ndarray, iou: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of one image and one class that overlap, averaged.

    Each box in turn joins the cluster whose mean it overlaps most, where by more than ``iou``, and else
    opens one of its own.

    Args:
        boxes: [n, 4] corners.
        readers: [n], who drew each.
        iou: overlap (intersection over union) from which two boxes mean the same.

    Returns:
        The clusters' mean corners, float32 [m, 4], and the number of different readers in each, [m].
    """
    clusters: list[list[int]] = []
    means = np.zeros((0, 4), np.float64)
    for index, box in enumerate(boxes):
        overlap = box_iou(box, means)
        if len(clusters) and overlap.max() > iou:
            chosen = int(overlap.argmax())
            clusters[chosen].append(index)
            means[chosen] = boxes[clusters[chosen]].mean(axis=0)
        else:
            clusters.append([index])
            means = np.concatenate([means, box[None]])
    support = np.array([len(set(readers[cluster])) for cluster in clusters], int)
    return means.astype(np.float32), support


def box_iou(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of one box [4] with each of others [n, 4]."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(areas - shared, 1e-9)
