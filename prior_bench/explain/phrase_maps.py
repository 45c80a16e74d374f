"""Maps of phrases over the images that they describe, of a two-tower method.

There are four kinds (:data:`prior_bench.explain.contract.MAPS`), none of which replaces another silently:

- ``attention``: the method's own attention of the phrase over the patches
  (:func:`prior_bench.explain.attention.attention_of`);
- ``similarity``: the cosine of each patch with the text's local vectors (words or sentences), averaged over
  these;
- ``similarity_global``: the cosine of each patch with the text's global vector, as in BioViL
  (arXiv 2204.09817), which trains patches and texts in one space;
- ``grad_cam``: Grad-CAM of the method's own score (:mod:`prior_bench.explain.grad_cam`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from prior_bench.api import Backbone, Features, Method, RunContext, TextBatch
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError, unknown_name
from prior_bench.explain.attention import attention_of
from prior_bench.explain.contract import MAPS, lacking
from prior_bench.explain.grad_cam import grad_cam
from prior_bench.explain.inputs import tokenised
from prior_bench.features.cache import cached
from prior_bench.features.extract import Feed, evaluating, feature_versions, image_batches, source_of
from prior_bench.metrics.grounding import other_phrases
from prior_bench.versions import machinery, raised

PAIRS_AT_ONCE = 64
"""Number of pairs of image and phrase whose features are held at the same time."""


def phrase_maps(
    backbone: Backbone,
    manifest: Manifest,
    texts: Sequence[Sequence[str]],
    kind: str,
    context: RunContext,
    feed: Feed | None = None,
) -> np.ndarray:
    """The maps of all phrases, float32 [P, G, G]: those of the first image, then those of the next one.

    A map whose phrase leaves no token to the method is NaN.

    Args:
        texts: the phrases of each row of ``manifest``.
        kind: one of :data:`prior_bench.explain.contract.MAPS`.
        feed: preparation of the images; by default the one that the backbone expects.

    Raises:
        BenchError: the method has no text encoder, or gives no maps of this kind.
    """
    if kind not in MAPS:
        raise unknown_name("kind of map", kind, list(MAPS))
    method, feed = backbone.text_method, feed or Feed(backbone.input)
    if problem := lacking(method, kind):
        raise _no_map(backbone, problem, kind)
    key: dict[str, Any] = {
        "backbone": backbone.identity,
        "images": manifest.fingerprint(),
        "texts": hashlib.sha256(repr([list(some) for some in texts]).encode()).hexdigest(),
        "kind": kind,
        **feed.key(),
        "versions": {**feature_versions(manifest), **raised(machinery(("phrase_maps",)))},
    }
    if getattr(method, "random_evaluation", False):
        key["seed"] = context.seed

    def compute() -> np.ndarray:
        found = []
        with evaluating(method, context.device):
            for images, rows in image_batches(manifest, feed, context, f"{backbone.name} on {manifest.name}"):
                if kind == "grad_cam":
                    found.append(grad_cam(backbone, method, images, [texts[row] for row in rows.tolist()]))
                    continue
                encoded = method.encode_image(images)
                pairs = [(i, text) for i, row in enumerate(rows.tolist()) for text in texts[row]]
                for start in range(0, len(pairs), PAIRS_AT_ONCE):
                    found.append(_maps(backbone, method, encoded, pairs[start : start + PAIRS_AT_ONCE], kind))
        return np.concatenate(found)

    return cached(context, "phrase_maps", key, compute, source_of(method))


def other_phrase_maps(
    backbone: Backbone, images: Manifest, kind: str, context: RunContext, feed: Feed | None = None
) -> np.ndarray:
    """The maps of another patient's phrase for each phrase, over the phrase's own image, float32 [P, G, G].

    NaN where there is no such phrase; see :func:`prior_bench.metrics.grounding.other_phrases`.

    Args:
        images: with the column ``phrases``.
        kind, feed: see :func:`phrase_maps`.
    """
    counts = [len(some) for some in images.table["phrases"]]
    flat = [phrase for some in images.table["phrases"] for phrase in some]
    texts, categories = [phrase.text for phrase in flat], [phrase.category for phrase in flat]
    patients = np.repeat(images.table["patient_id"].to_numpy(dtype=str), counts).tolist()
    chosen = other_phrases(texts, patients, categories)
    given = iter(texts[n if m is None else m] for n, m in enumerate(chosen))
    maps = phrase_maps(
        backbone, images, [list(islice(given, count)) for count in counts], kind, context, feed
    )
    maps[[m is None for m in chosen]] = np.nan
    return maps


def _maps(
    backbone: Backbone, method: Method, image: Features, pairs: list[tuple[int, str]], kind: str
) -> np.ndarray:
    """Maps [P, G, G] of pairs (row of ``image``, phrase); a phrase that occurs twice is encoded once."""
    distinct = list(dict.fromkeys(text for _, text in pairs))
    tokens = tokenised(method, [(text,) for text in distinct], str(image.global_.device))
    rows = [i for i, _ in pairs]
    columns = [distinct.index(text) for _, text in pairs]
    encoded = _of_rows(method.encode_text(tokens), columns)
    image = _of_rows(image, rows)
    if image.local is None:
        raise _no_map(backbone, "no local features", kind)
    for what, features in (
        ("images", image),
        ("phrases", encoded),
    ):  # NaN in a map means that it has no token
        for part in (features.global_, features.local):
            if part is not None:
                finite = (
                    part if features.mask is None or part is features.global_ else part[features.mask.bool()]
                )
                require_finite_scores(finite.float().cpu().numpy(), f"features of {what}", backbone.name)
    if kind == "attention":
        chosen = TextBatch(*(part[columns] for part in tokens))
        return _attention(backbone, method, image, encoded, chosen, [(text,) for _, text in pairs])
    values = _cosines(backbone, image, encoded, kind)
    side = math.isqrt(values.shape[-1])
    if side**2 != values.shape[-1]:
        raise _no_map(backbone, f"{values.shape[-1]} patches, which are no square grid", kind)
    return values.float().cpu().numpy().reshape(-1, side, side)


def _attention(
    backbone: Backbone,
    method: Method,
    image: Features,
    text: Features,
    tokens: TextBatch,
    reports: list[tuple[str, ...]],
) -> np.ndarray:
    found = attention_of(method, image, text, tokens, reports)
    if found is None:
        raise _no_map(backbone, "no attention over a square grid of patches", "attention")
    grids = [np.mean([one.grid for one in some], axis=0) if some else None for some in found]
    shapes = [grid.shape for grid in grids if grid is not None]
    absent = np.full(shapes[0] if shapes else _grid(image), np.nan, np.float32)
    return np.stack([absent if grid is None else grid for grid in grids]).astype(np.float32)


def _grid(image: Features) -> tuple[int, int]:
    side = math.isqrt(image.parts.shape[1])
    return side, side


def _cosines(backbone: Backbone, image: Features, text: Features, kind: str) -> Tensor:
    """Cosines [P, N] of patches with their phrase."""
    vectors, mask = text.global_[:, None], None
    if kind == "similarity":
        if text.local is None:
            raise _no_map(backbone, "no local features of texts", kind)
        vectors, mask = text.local, text.mask
    if vectors.shape[-1] != image.parts.shape[-1]:
        sizes = f"patches of {image.parts.shape[-1]} channels and texts of {vectors.shape[-1]}"
        raise _no_map(backbone, sizes, kind)
    cosines = F.normalize(vectors, dim=-1) @ F.normalize(image.parts, dim=-1).mT  # [P, S, N]
    counted = torch.ones(cosines.shape[:2], device=cosines.device) if mask is None else mask.to(cosines.dtype)
    return (cosines * counted[..., None]).sum(1) / counted.sum(1, keepdim=True)  # NaN without any token


def _of_rows(features: Features, rows: list[int]) -> Features:
    local, mask = (None if part is None else part[rows] for part in (features.local, features.mask))
    return Features(features.global_[rows], local, mask)


def _no_map(backbone: Backbone, problem: str, kind: str) -> BenchError:
    others = " or ".join(f"'{other}'" for other in MAPS if other != kind)
    return BenchError(
        f"has {problem}, so that options.map='{kind}' is not possible",
        where=f"backbone '{backbone.name}'",
        fix=f"set options.map to {others} if the method has what it needs, or leave this backbone out",
    )
