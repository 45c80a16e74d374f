"""One class for each image of an embedding map, even where images may have several labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MOST = 8
"""Classes with a colour of their own on a map; smaller classes are shown together."""

OTHER = "other classes"

FEW = 5
"""Images that a class needs for a colour of its own."""


@dataclass(frozen=True)
class ImageClasses:
    """The images that are shown on a map, and their classes.

    Attributes:
        images: positions among the kept ones (``example_row``), int [N].
        classes: of each, a position in ``names``, int [N].
        names: of the classes, as in the legend.
        note: which images these are, unless they are all.
    """

    images: np.ndarray
    classes: np.ndarray
    names: list[str]
    note: str = ""


def image_classes(predictions: dict[str, np.ndarray]) -> ImageClasses:
    """Images with exactly one class. If too few have one, all images by the most frequent finding.

    Raises:
        KeyError: the predictions lack labels, or no rows were kept.
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
    """All images by presence or absence of the most frequent finding."""
    finding = int(positive.sum(0).argmax())
    images = np.flatnonzero(~unknown[:, finding])
    classes = (~positive[images, finding]).astype(int)
    return ImageClasses(images, classes, [names[finding], f"without {names[finding]}"])


def _merged(images: np.ndarray, classes: np.ndarray, names: list[str], note: str) -> ImageClasses:
    """Classes that occur, in their order; if there are too many, the smaller ones become one class."""
    sizes = np.bincount(classes, minlength=len(names))
    kept = [c for c in range(len(names)) if sizes[c]]
    if len(kept) > MOST:
        kept = sorted(np.argsort(-sizes, kind="stable")[: MOST - 1].tolist())
    place = np.full(len(names), len(kept))
    place[kept] = np.arange(len(kept))
    merged = place[classes]
    shown = [names[c] for c in kept] + [OTHER] * bool((merged == len(kept)).any())
    return ImageClasses(images, merged, shown, note)
