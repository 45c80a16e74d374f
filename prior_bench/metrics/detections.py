"""Predicted and true boxes of a test set, of one detector or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Detections(NamedTuple):
    """All predicted (D) and true (T) boxes of a test set as flat arrays.

    Attributes:
        images: number of images, including those without boxes.
        classes: number of classes.
        sample, truth_sample: int [D], [T], index of the image of each box.
        box, truth_box: float [D, 4], [T, 4], as x1, y1, x2, y2.
        score: float [D], confidence.
        label, truth_label: int [D], [T], class index.
        pixel: float [images, 2], width and height of a pixel of the detector's input, in the units of the
            boxes; None if they are those pixels.
    """

    images: int
    classes: int
    sample: np.ndarray
    box: np.ndarray
    score: np.ndarray
    label: np.ndarray
    truth_sample: np.ndarray
    truth_box: np.ndarray
    truth_label: np.ndarray
    pixel: np.ndarray | None = None

    def of_class(self, label: int) -> Detections:
        """Return only the boxes of one class; the number of images is unchanged."""
        return self.keep(self.label == label, self.truth_label == label)

    def keep(self, predicted: np.ndarray, true: np.ndarray) -> Detections:
        """Return only the boxes selected by boolean masks [D] and [T]; the number of images is unchanged."""
        return self._replace(
            sample=self.sample[predicted],
            box=self.box[predicted],
            score=self.score[predicted],
            label=self.label[predicted],
            truth_sample=self.truth_sample[true],
            truth_box=self.truth_box[true],
            truth_label=self.truth_label[true],
        )


def from_predictions(predictions: dict[str, np.ndarray]) -> Detections:
    """Return Detections from the arrays that a detection run stores (see TaskResult.predictions)."""
    return Detections(
        images=len(predictions["id"]),
        classes=len(predictions["meta_classes"]),
        sample=predictions["flat_sample"],
        box=predictions["flat_box"].reshape(-1, 4),
        score=predictions["flat_score"],
        label=predictions["flat_label"],
        truth_sample=predictions["truth_sample"],
        truth_box=predictions["truth_box"].reshape(-1, 4),
        truth_label=predictions["truth_label"],
        pixel=predictions.get("pixel"),
    )


def of_heads(predictions: dict[str, np.ndarray]) -> list[Detections]:
    """Return the Detections of each detector of a run; most runs have one.

    ``flat_head`` has the detector of each predicted box, and ``meta_heads`` their number.
    """
    found = from_predictions(predictions)
    if "flat_head" not in predictions:
        return [found]
    every = np.ones(len(found.truth_sample), dtype=bool)
    return [found.keep(predictions["flat_head"] == head, every) for head in range(predictions["meta_heads"])]


def joined(heads: Sequence[Detections]) -> Detections:
    """Return the boxes of several detectors on the same images as if they were one's; for storage."""
    return heads[0]._replace(
        sample=np.concatenate([one.sample for one in heads]),
        box=np.concatenate([one.box for one in heads]),
        score=np.concatenate([one.score for one in heads]),
        label=np.concatenate([one.label for one in heads]),
    )


def head_arrays(heads: Sequence[Detections]) -> dict[str, np.ndarray]:
    """Return what :func:`of_heads` reads besides the joined boxes."""
    return {
        "flat_head": np.repeat(np.arange(len(heads)), [len(one.sample) for one in heads]),
        "meta_heads": np.asarray(len(heads)),
    }
