"""The regions of phrases in the pixels of a network's input."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from prior_bench.data.images.read import image_size
from prior_bench.data.images.transforms import RadiographTransform
from prior_bench.data.manifest import Manifest


class PlacedPhrases(NamedTuple):
    """The phrases of one image after its transform to [S, S] pixels.

    Attributes:
        valid: bool [S, S], False where the transform padded.
        regions: bool [P, S, S], the region of each phrase; empty if it was cropped away, or is smaller than a
            pixel.
        boxes: float32 [n, 4] of each phrase: its boxes, or those around the separate areas of its mask.
    """

    valid: np.ndarray
    regions: np.ndarray
    boxes: list[np.ndarray]


def placed_phrases(
    manifest: Manifest, row: int, transform: RadiographTransform, *, boxes_only: bool = False
) -> PlacedPhrases:
    """The phrases of a row, moved as its image is.

    Args:
        transform: without anything random.
        boxes_only: see :meth:`prior_bench.data.annotations.phrases.GroundedPhrase.region`.

    Raises:
        BenchError: the header of the image, or a mask, cannot be read.
    """
    height, width = image_size(manifest.path(row))
    valid = _moved(transform, np.ones((height, width), np.uint8))[1]
    regions, boxes = [], []
    for phrase in manifest.cell("phrases", row):
        drawn = phrase.region(height, width, boxes_only=boxes_only)
        given = phrase.box_array if phrase.boxes else _around(drawn)
        moved_boxes, region = _moved(transform, drawn, given)
        regions.append(region & valid)
        boxes.append(moved_boxes)
    return PlacedPhrases(valid, np.stack(regions), boxes)


def _moved(
    transform: RadiographTransform, mask: np.ndarray, boxes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [n, 4] and mask, bool [S, S]; the mask stands for the image, whose pixels do not matter here."""
    given = np.zeros((0, 4), np.float32) if boxes is None else boxes
    _, placed, region, _ = transform.dense(mask, given, mask)
    assert placed is not None and region is not None, "what was given comes back"
    return placed, region.numpy().astype(bool)


def _around(mask: np.ndarray) -> np.ndarray:
    """Boxes float32 [n, 4] around the separate areas of a mask."""
    from scipy.ndimage import find_objects, label

    places = find_objects(label(mask)[0])
    return np.array([(x.start, y.start, x.stop, y.stop) for y, x in places], np.float32).reshape(-1, 4)
