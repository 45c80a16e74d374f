"""A method's own image-text similarity over a whole data set, in chunks that fit into memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from prior_bench.api import Backbone, Features, Method, RunContext, repeated
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.features.cache import cached, name_of
from prior_bench.features.extract import (
    Feed,
    evaluating,
    feature_versions,
    image_batches,
    source_of,
)
from prior_bench.features.text_means import mean_texts, require_cosine
from prior_bench.runtime import progress

TEXTS_AT_ONCE = 64
"""Number of texts per call of ``encode_text``, and of ``similarity`` if the method has no ``texts_together``.
All prompts of a usual prompt set fit into one call."""


def similarity_matrix(
    backbone: Backbone,
    manifest: Manifest,
    texts: list[tuple[str, ...]],
    context: RunContext,
    feed: Feed | None = None,
) -> np.ndarray:
    """The method's own similarity of every image to every text, float32 [rows, texts].

    Only ``encode_image``, ``encode_text`` and ``similarity`` are used; every image and text is encoded once.
    Of stored vectors, it is their scaled cosine.

    Args:
        texts: one tuple of sentences per text.
        feed: preparation of the images; by default the one that the backbone expects.
    """
    return next(similarity_matrices(backbone, manifest, texts, context, [feed or Feed(backbone.input)]))


def similarity_matrices(
    backbone: Backbone,
    manifest: Manifest,
    texts: list[tuple[str, ...]],
    context: RunContext,
    feeds: Iterable[Feed],
    groups: Sequence[Sequence[int]] = (),
) -> Iterator[np.ndarray]:
    """The similarity matrix for each of ``feeds``; the texts are encoded only once.

    Args:
        groups: positions in ``texts``; each group adds a column after those of the texts, the similarity to
            the mean of their embeddings (:mod:`prior_bench.features.text_means`).

    Raises:
        BenchError: similarities are not finite; or there are groups, and the method compares more than
            cosines.
    """
    if backbone.stored is not None:
        for feed in feeds:
            feed.require_own_input(backbone)
            yield _finite(backbone.stored.similarity(manifest, texts, groups), backbone)
        return
    method = backbone.text_method
    pieces: list[Features] = []
    means: list[Features] = []

    def compute(feed: Feed, manifest: Manifest = manifest) -> np.ndarray:
        compared, filled = np.empty((len(manifest), len(texts) + len(groups)), dtype=np.float32), 0
        with evaluating(method, context.device):
            if not pieces:
                pieces.extend(encoded_texts(method, texts, context.device))
            for images, _ in image_batches(manifest, feed, context, f"{backbone.name} on {manifest.name}"):
                encoded = method.encode_image(images)
                if groups and not means:
                    require_cosine(method, encoded, pieces[0], backbone.name)
                    means.append(mean_texts(pieces, groups))
                scores = [method.similarity(encoded, piece).float() for piece in (*pieces, *means)]
                rows = slice(filled, filled := filled + len(images))
                compared[rows] = torch.cat(scores, dim=1).cpu().numpy()
        assert filled == len(compared)
        return compared

    key: dict[str, Any] = {
        "backbone": backbone.identity,
        "images": manifest.fingerprint(),
        "texts": hashlib.sha256(repr(texts).encode()).hexdigest(),
        "versions": feature_versions(manifest),
    }
    if getattr(method, "random_evaluation", False):
        key["seed"] = context.seed  # otherwise all seeds would share the noise of the first
    if groups:
        key["groups"] = [list(group) for group in groups]
    if context.rehearsal is not None:
        all_texts, encoded = len(texts), len(texts) if groups else context.rehearsal.images(len(texts))
        texts, rows = texts[:encoded], context.rehearsal.rows(len(manifest))
        columns = [*repeated(all_texts, encoded), *range(encoded, encoded + len(groups))]
        with context.rehearsal.timed("texts", "forward", encoded, all_texts, once=name_of(key)):
            with evaluating(method, context.device):
                pieces.extend(encoded_texts(method, texts, context.device))
        for feed in feeds:
            once = name_of({**key, **feed.key()})
            with context.rehearsal.timed("similarity", "forward", len(rows), len(manifest), once=once):
                some = compute(feed, manifest.select(rows))
            yield _finite(some[repeated(len(manifest), len(rows))][:, columns], backbone)
        return
    source = source_of(method)
    for feed in feeds:
        compared = cached(context, "similarity", {**key, **feed.key()}, partial(compute, feed), source)
        yield _finite(compared, backbone)


def _finite(similarity: np.ndarray, backbone: Backbone) -> np.ndarray:
    require_finite_scores(similarity, "similarities of images and texts", backbone.name)
    return similarity


def text_vectors(
    backbone: Backbone, texts: list[tuple[str, ...]], context: RunContext, what: str = ""
) -> np.ndarray:
    """The global features of texts in the joint space, float32 [texts, E].

    Raises:
        BenchError: the backbone has no text encoder, or features are not finite.
    """
    method = backbone.text_method
    with evaluating(method, context.device):
        pieces = [piece.global_.float().cpu() for piece in _encoded(method, texts, context.device, what)]
    vectors = torch.cat(pieces).numpy()
    if not np.isfinite(vectors).all():
        raise BenchError("features of texts are not finite", where=backbone.name, fix="check the weights")
    return vectors


def encoded_texts(method: Method, texts: list[tuple[str, ...]], device: str) -> list[Features]:
    """Return features of the texts, in chunks; in one if their scores depend on each other."""
    pieces = list(_encoded(method, texts, device))
    if not getattr(method, "texts_together", False) or len(pieces) == 1:
        return pieces
    local = None if pieces[0].local is None else torch.cat([piece.parts for piece in pieces])
    return [Features(torch.cat([piece.global_ for piece in pieces]), local)]


def _encoded(method: Method, texts: list[tuple[str, ...]], device: str, what: str = "") -> Iterator[Features]:
    """Yield features of the texts, chunk by chunk; a chunk is padded to its longest text.

    Args:
        what: what a progress bar is named; none is shown without a name.
    """
    tokenizer = method.text_encoder.tokenizer
    starts = range(0, len(texts), TEXTS_AT_ONCE)
    for start in progress(starts, what) if what else starts:
        yield method.encode_text(tokenizer(texts[start : start + TEXTS_AT_ONCE]).to(device))
