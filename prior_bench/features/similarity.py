"""A method's own image-text similarity over a whole data set, in pieces that fit into memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from prior_bench.api import Backbone, Features, Method, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.features.extract import Feed, cached, evaluating, feature_versions, image_batches, source_of

TEXTS_AT_ONCE = 64
"""Texts per call of ``similarity``; all prompts of a usual prompt set fit into one."""


def similarity_matrix(
    backbone: Backbone,
    manifest: Manifest,
    texts: list[tuple[str, ...]],
    context: RunContext,
    feed: Feed | None = None,
) -> np.ndarray:
    """Similarity of every image to every text, float32 [rows, texts], by the method's own score.

    Uses ``encode_image``, ``encode_text`` and ``similarity`` only; every image and text is encoded once.

    Args:
        texts: each a tuple of sentences.
        feed: how images are fed; by default as the backbone expects them.
    """
    return next(similarity_matrices(backbone, manifest, texts, context, [feed or Feed(backbone.input)]))


def similarity_matrices(
    backbone: Backbone,
    manifest: Manifest,
    texts: list[tuple[str, ...]],
    context: RunContext,
    feeds: Iterable[Feed],
) -> Iterator[np.ndarray]:
    """Similarity matrices for several feeds of the images; the texts are encoded once."""
    method = backbone.text_method
    pieces: list[Features] = []

    def compute(feed: Feed) -> np.ndarray:
        rows = []
        with evaluating(method, context.device):
            if not pieces:
                pieces.extend(_encoded(method, texts, context.device))
            for images, _ in image_batches(manifest, feed, context, f"{backbone.name} on {manifest.name}"):
                encoded = method.encode_image(images)
                scores = [method.similarity(encoded, piece).float() for piece in pieces]
                rows.append(torch.cat(scores, dim=1).cpu())
        return torch.cat(rows).numpy()

    key: dict[str, Any] = {
        "backbone": backbone.identity,
        "images": manifest.fingerprint(),
        "texts": hashlib.sha256(repr(texts).encode()).hexdigest(),
        "versions": feature_versions(manifest),
    }
    if getattr(method, "random_evaluation", False):
        key["seed"] = context.seed  # else all seeds would show the noise of the first
    source = source_of(method)
    for feed in feeds:
        yield cached(context, "similarity", {**key, **feed.key()}, partial(compute, feed), source)


def _encoded(method: Method, texts: list[tuple[str, ...]], device: str) -> Iterator[Features]:
    """Features of the texts, piece by piece; a piece is padded to its longest text."""
    tokenizer = method.text_encoder.tokenizer
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield method.encode_text(tokenizer(texts[start : start + TEXTS_AT_ONCE]).to(device))
