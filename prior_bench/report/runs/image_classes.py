"""Assign one class to each image of an embedding map, even if images may have several labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST = 8
"""Largest number of classes with their own colour on a map; smaller classes are shown together."""

OTHER = "other classes"

FEW = 5
"""Smallest number of images of a class with its own colour."""


@dataclass(frozen=True)
class ImageClasses:
    """The images that are shown on a map, and their classes.

    Attributes:
        images: int [N], positions among the stored images (``example_row``).
        classes: int [N], index in ``names`` of each image.
        names: names of the classes in the legend.
        note: sentence about the selection, unless all images are shown.
    """

    images: np.ndarray
    classes: np.ndarray
    names: list[str]
    note: str = ""


def image_classes(predictions: dict[str, np.ndarray]) -> ImageClasses:
    """Select images with exactly one class; if there are too few, all images by the most frequent finding.

    Raises:
        KeyError: the predictions lack labels or ``example_row``.
    """
    names = [str(name) for name in predictions["meta_classes"]]
    positive = predictions["target"][predictions["example_row"]] == 1
    unknown = np.isnan(predictions["target"][predictions["example_row"]])
    single = np.flatnonzero(positive.sum(1) == 1)
    sizes = positive[single].sum(0)
    if (sizes >= FEW).sum() < 2:
        return _one_finding(names, positive, unknown)
    note = ""
    if len(single) < len(positive):
        note = f"Shown are {len(single)} of {len(positive)} images, which have exactly one of the labels."
    return _merged(single, positive[single].argmax(1), names, note)


def _one_finding(names: list[str], positive: np.ndarray, unknown: np.ndarray) -> ImageClasses:
    """Return all images by presence or absence of the most frequent finding."""
    finding = int(positive.sum(0).argmax())
    images = np.flatnonzero(~unknown[:, finding])
    classes = (~positive[images, finding]).astype(int)
    return ImageClasses(images, classes, [names[finding], f"without {names[finding]}"])


def _merged(images: np.ndarray, classes: np.ndarray, names: list[str], note: str) -> ImageClasses:
    """Keep the occurring classes in their order; if there are too many, merge the smaller ones."""
    sizes = np.bincount(classes, minlength=len(names))
    kept = [c for c in range(len(names)) if sizes[c]]
    if len(kept) > MOST:
        kept = sorted(np.argsort(-sizes, kind="stable")[: MOST - 1].tolist())
    place = np.full(len(names), len(kept))
    place[kept] = np.arange(len(kept))
    merged = place[classes]
    shown = [names[c] for c in kept] + [OTHER] * bool((merged == len(kept)).any())
    return ImageClasses(images, merged, shown, note)
