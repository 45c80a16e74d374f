"""Phrases with the regions of the image that they describe, as phrase grounding uses them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from prior_bench.data.annotations.masks import BoxMask

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the stored image."""


@dataclass(frozen=True)
class GroundedPhrase:
    """A text and its region.

    Attributes:
        text: the phrase or sentence.
        boxes: boxes of the region; empty if only a mask is annotated.
        mask: an annotation of :mod:`prior_bench.data.annotations.masks`, or None if only boxes are annotated.
        category: name of the finding; empty if unknown.
    """

    text: str
    boxes: tuple[Box, ...] = ()
    mask: Any = None
    category: str = ""

    @property
    def box_array(self) -> np.ndarray:
        """The boxes, float32 [n, 4]."""
        return np.array(self.boxes, np.float32).reshape(-1, 4)

    def region(self, height: int, width: int, *, boxes_only: bool = False) -> np.ndarray:
        """The region, uint8 [height, width] of 0 and 1: the mask if there is one, else the boxes filled.

        Args:
            height, width: size of the stored image.
            boxes_only: fill the boxes even if there is a mask; a phrase without boxes keeps its mask.
        """
        if self.mask is not None and not (boxes_only and self.boxes):
            return self.mask.decode(height, width)
        return BoxMask(self.box_array).decode(height, width)

    def problem(self) -> str:
        """What makes the phrase unusable; empty if nothing does. A mask is not decoded."""
        if not self.text.strip():
            return "has a phrase without text"
        if self.mask is None and not self.boxes:
            return f"has the phrase '{self.text}' without a region"
        if any(not (x2 > x1 and y2 > y1) for x1, y1, x2, y2 in self.boxes):
            return f"has a box without extent for the phrase '{self.text}'"
        return ""


def box_tuples(boxes: Iterable[Iterable[float]]) -> tuple[Box, ...]:
    """Boxes (x1, y1, x2, y2, ...) as the tuples that a :class:`GroundedPhrase` holds."""
    return tuple((float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2, *_ in boxes)
