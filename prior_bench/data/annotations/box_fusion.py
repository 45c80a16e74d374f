"""Fuse the boxes of several readers by weighted boxes fusion (Solovyev et al. 2021) with equal weights."""

from __future__ import annotations

import numpy as np


def fuse_boxes(boxes: np.ndarray, readers: np.ndarray, iou: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Average the overlapping boxes of one image and one class.

    Boxes are taken in order. Each joins the cluster whose mean box it overlaps most if their overlap exceeds
    ``iou``; otherwise it starts a new cluster.

    Args:
        boxes: [n, 4], corners (x1, y1, x2, y2).
        readers: [n], the reader who drew each box.
        iou: overlap (intersection over union) above which two boxes count as the same object.

    Returns:
        The mean corners of the clusters, float32 [m, 4], and the number of different readers of each, int
        [m].
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
    """Return the intersection over union [n] of one box [4] with each of ``others`` [n, 4]."""
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    return shared / np.maximum(areas - shared, 1e-9)
