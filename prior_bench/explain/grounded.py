"""Maps of phrases beside the regions that they describe, on the pixels of the network's input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from prior_bench.data.manifest import Manifest
from prior_bench.features.extract import Feed
from prior_bench.metrics.grounding import Grounded


class GroundedImage(NamedTuple):
    """The phrases of one image.

    Attributes:
        valid: bool [S, S], False where the input is padded.
        phrases: one entry for each phrase.
        others: the same regions with the other maps; empty if there are none.
    """

    valid: np.ndarray
    phrases: list[Grounded]
    others: list[Grounded]


def grounded_images(
    images: Manifest,
    maps: np.ndarray,
    feed: Feed,
    *,
    others: np.ndarray | None = None,
    boxes_only: bool = False,
) -> Iterator[GroundedImage]:
    """Yield each image with its phrases, in the order of the manifest.

    Args:
        images: with the column ``phrases``.
        maps: float32 [P, G, G] of all phrases, image by image; resized bilinearly to the input.
        others: other maps of the same phrases, float32 [P, G, G].
        feed: how the images were fed. Regions go through the same transform.
        boxes_only: see :meth:`prior_bench.data.annotations.phrases.GroundedPhrase.region`.
    """
    from prior_bench.data.images.placed_phrases import placed_phrases
    from prior_bench.data.images.transforms import eval_transform

    transform, start = eval_transform(feed.input, feed.steps), 0
    for row in range(len(images)):
        placed = placed_phrases(images, row, transform, boxes_only=boxes_only)
        rows = slice(start, start + len(placed.regions))
        start = rows.stop
        found = [
            list(map(Grounded, resized(some[rows], placed.valid), placed.regions, placed.boxes))
            for some in (maps, others)
            if some is not None
        ]
        yield GroundedImage(placed.valid, found[0], found[1] if len(found) > 1 else [])


def resized(maps: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Maps [P, G, G] on the input's pixels, float32 [P, S, S], bilinear; NaN where ``valid`` is False."""
    import torch
    from torch.nn.functional import interpolate

    size = (valid.shape[0], valid.shape[1])
    grown = interpolate(torch.from_numpy(maps)[:, None], size=size, mode="bilinear", align_corners=False)
    return np.where(valid, grown[:, 0].numpy(), np.nan).astype(np.float32)
