"""A cascade of scores: a cheap score of all pairs, and a method's own score of the best candidates alone.

The first stage is the method's ``global_similarity``. Of each query, its first ``k`` candidates are ranked
anew by the method's ``similarity``; all others follow in the order of the first stage. The two directions
have queries of their own, so that each has a matrix of its own. With ``k`` of at least the pool, nothing
follows, and both are the matrix of the exact scores.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import torch

from prior_bench.api import Backbone, Features, RunContext
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.features.cache import cached
from prior_bench.features.extract import Feed, evaluating, feature_versions, image_batches, source_of
from prior_bench.features.similarity import encoded_texts

NONE = np.float32(np.nan)
"""Score of a pair that is no candidate in either direction."""


def cascaded_similarity(
    backbone: Backbone,
    manifest: Manifest,
    texts: list[tuple[str, ...]],
    context: RunContext,
    feed: Feed,
    k: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return scores that rank texts for images, and those that rank images for texts, float64 [rows, texts].

    Args:
        texts: distinct texts, one tuple of sentences each.
        feed: preparation of the images.
        k: candidates of each query that are ranked by the method's own score.

    Raises:
        BenchError: the method has no first stage, or scores are not finite.
    """
    backbone.require_network("a cascade")
    method = backbone.text_method
    if not getattr(method, "cascades", False):
        fix = "leave options.cascade out: all scores of this method are computed"
        raise BenchError("has no global score as a first stage", where=backbone.name, fix=fix)
    key: dict[str, Any] = {
        "backbone": backbone.identity,
        "images": manifest.fingerprint(),
        "texts": hashlib.sha256(repr(texts).encode()).hexdigest(),
        "versions": feature_versions(manifest),
        "cascade": k,
        **feed.key(),
    }
    what = f"{backbone.name} on {manifest.name}"

    def compute() -> np.ndarray:
        scores = np.full((2, len(manifest), len(texts)), NONE, dtype=np.float32)
        with evaluating(method, context.device):
            pieces = list(encoded_texts(method, texts, context.device))
            for images, rows in image_batches(manifest, feed, context, f"{what}, all pairs"):
                image = method.encode_image(images)
                found = [method.global_similarity(image, piece).float() for piece in pieces]  # type: ignore[attr-defined]
                scores[0, rows.numpy()] = torch.cat(found, dim=1).cpu().numpy()
            wanted = candidates(scores[0], k, 1) | candidates(scores[0], k, 0)
            # local features of all images would take gigabytes, and encoding them again little time
            for images, rows in image_batches(manifest, feed, context, f"{what}, first {k}"):
                image = method.encode_image(images)
                for place, row in enumerate(rows.tolist()):
                    start = 0
                    for piece in pieces:
                        columns = np.flatnonzero(wanted[row, start : start + len(piece.global_)])
                        if len(columns):
                            found_here = method.similarity(_rows(image, [place]), _rows(piece, columns))
                            scores[1, row, start + columns] = found_here[0].float().cpu().numpy()
                        start += len(piece.global_)
        return scores.reshape(2 * len(manifest), len(texts))

    stored = cached(context, "similarity", key, compute, source_of(method))
    first, second = stored.reshape(2, len(manifest), len(texts))
    require_finite_scores(first, "global similarities of images and texts", backbone.name)
    wanted = candidates(first, k, 1) | candidates(first, k, 0)
    require_finite_scores(second[wanted], "similarities of images and texts", backbone.name)
    return by_stages(first, second, k, 1), by_stages(first, second, k, 0)


def candidates(first: np.ndarray, k: int, axis: int) -> np.ndarray:
    """Return which pairs are among the first ``k`` of a query, bool [images, texts].

    Candidates with the score of the last one are among them, too, so that no order of ties matters.

    Args:
        first: scores of the first stage [images, texts].
        k: number of candidates.
        axis: that of the candidates: 1 if images are the queries, 0 if texts are.
    """
    pool = first.shape[axis]
    if k >= pool:
        return np.ones(first.shape, dtype=bool)
    last = np.partition(first, pool - k, axis=axis).take([pool - k], axis=axis)
    return np.asarray(first >= last)


def by_stages(first: np.ndarray, second: np.ndarray, k: int, axis: int) -> np.ndarray:
    """Return scores, float64 [images, texts], that rank candidates by both stages in one direction.

    Those among the first ``k`` keep the score of the second stage. All others are below the least of them, in
    the order of the first stage.

    Args:
        first: scores of the first stage [images, texts].
        second: those of the second stage; of pairs that are no candidates, any value.
        k: number of candidates.
        axis: see :func:`candidates`.
    """
    within = candidates(first, k, axis)
    scores = np.where(within, second, 0.0).astype(np.float64)
    if within.all():
        return scores
    below = first.astype(np.float64) - float(first.max()) + float(scores[within].min()) - 1
    return np.where(within, scores, below)


def _rows(features: Features, rows: Any) -> Features:
    at = torch.as_tensor(rows, device=features.global_.device)
    local, mask = (None if part is None else part[at] for part in features[1:])
    return Features(features.global_[at], local, mask)
