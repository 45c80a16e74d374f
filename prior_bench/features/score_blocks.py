"""Scores of images and texts in blocks that are computed when they are asked for, for pools of any size.

This needs a method whose score depends on the global vectors alone: only these are kept of the images, in a
file that is mapped into memory (:mod:`prior_bench.features.blocks`), and of the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch

from prior_bench.api import Backbone, Features, Method, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.features.extract import Feed, evaluating, extract, image_batches
from prior_bench.features.similarity import encoded_texts
from prior_bench.runtime import progress

LARGE = 1 << 28
"""Number of scores from which they are not kept: a GiB of float32."""
SCORES = 1 << 23
"""Number of scores of a block, at most, if it has more than one image."""
COMPARED = 8
"""Number of images and texts of which it is seen what their score depends on."""


def score_blocks(
    backbone: Backbone, manifest: Manifest, texts: list[tuple[str, ...]], context: RunContext, feed: Feed
) -> Callable[[], Iterator[np.ndarray]] | None:
    """Return a function that yields the scores, float32 [B, texts], of some images after others.

    It is None if the method's score depends on more than the global vectors.

    Args:
        texts: one tuple of sentences each.
        feed: preparation of the images.
    """
    method = backbone.text_method
    if getattr(method, "random_evaluation", False) or getattr(method, "texts_together", False):
        return None
    with evaluating(method, context.device):
        first = manifest.select(np.arange(min(COMPARED, len(manifest))))
        images, _ = next(iter(image_batches(first, feed, context, "looking at scores")))
        some = next(iter(encoded_texts(method, texts[:COMPARED], context.device)))
        if not global_alone(method, method.encode_image(images), some):
            return None
        pieces = [Features(piece.global_) for piece in encoded_texts(method, texts, context.device)]
    vectors = extract(backbone, manifest, context, "joint", feed)
    rows = max(1, SCORES // len(texts))

    def blocks() -> Iterator[np.ndarray]:
        with evaluating(method, context.device):
            for start in progress(range(0, len(vectors), rows), "scores"):
                image = Features(torch.from_numpy(vectors[start : start + rows]).to(context.device))
                scores = [method.similarity(image, piece).float() for piece in pieces]
                yield torch.cat(scores, dim=1).cpu().numpy()

    return blocks


def global_alone(method: Method, image: Features, text: Features) -> bool:
    """Whether the scores of images and texts are the same, to the last bit, without local features."""
    try:
        bare = method.similarity(Features(image.global_), Features(text.global_))
    except (AttributeError, TypeError, ValueError):  # local features are missed
        return False
    return torch.equal(bare, method.similarity(image, text))
