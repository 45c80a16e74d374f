"""Explanations of a few images as arrays, which are stored with a task's predictions for the report.

Their names begin with ``example_`` (see :class:`prior_bench.api.TaskResult`):

- ``example_row`` [E]: row of each example in the predictions;
- ``example_attention`` float16 [E, S, G, G], NaN beyond the last sentence, with ``example_attention_text``
  str [E, S];
- ``example_written`` str [E, W], empty beyond the last sentence;
- ``example_reconstruction`` uint8 [E, H, W].

Two more describe the most used sentence prototypes of the model, most used first:

- ``meta_prototype_share`` [P], share of the training sentences that choose it, and
  ``meta_prototype_sentences`` str [P, n], the nearest sentences;
- ``meta_prototype_usage`` [2]: number of prototypes, and effective number in use (perplexity).

Each array exists only if the method provides it. Without any, ``example_row`` does not exist either.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from prior_bench.api import Backbone, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.explain.collect import Explained, explain_images
from prior_bench.explain.contract import PrototypeUse, explainer_of
from prior_bench.features.extract import Feed, evaluating
from prior_bench.pictures.choice import spread

EXAMPLES = 4
"""Number of images, evenly spaced over the rows."""

SENTENCES = 4
"""Number of first sentences of a report whose attention is stored."""

PROTOTYPES = 10
"""Number of prototypes whose nearest sentences are stored."""

REPORTS = 2_000
"""Number of training reports, evenly spaced, whose sentences a method may write."""


def example_arrays(
    backbone: Backbone,
    data: Manifest,
    reports: Sequence[tuple[str, ...]],
    context: RunContext,
    feed: Feed,
) -> dict[str, np.ndarray]:
    """Explain a few rows of ``data``; all must have reports.

    Args:
        backbone: backbone with a method.
        data: the images to choose from.
        reports: reports of the training split, whose sentences a method may write.
    """
    explainer = explainer_of(backbone, spread(reports, REPORTS))
    if explainer is None and not hasattr(backbone.method, "attention"):
        return {}
    rows = np.array(spread(range(len(data)), EXAMPLES))
    shown = explain_images(backbone, explainer, data.select(rows), context, feed)
    arrays = _attention(shown) | _written(shown) | _reconstruction(shown)
    if explainer is not None:
        method = backbone.text_method
        with evaluating(method, context.device):
            arrays |= _prototypes(explainer.prototypes(PROTOTYPES))
    return {"example_row": rows, **arrays} if arrays else {}


def _attention(shown: list[Explained]) -> dict[str, np.ndarray]:
    kept = [(one.attention or [])[:SENTENCES] for one in shown]
    if not any(kept):
        return {}
    side = next(attention.grid.shape[0] for some in kept for attention in some)
    longest = max(map(len, kept))
    grids = np.full((len(kept), longest, side, side), np.nan, np.float16)
    for i, some in enumerate(kept):
        for j, attention in enumerate(some):
            grids[i, j] = attention.grid
    texts = [[attention.text for attention in some] for some in kept]
    return {"example_attention": grids, "example_attention_text": _texts(texts, longest)}


def _written(shown: list[Explained]) -> dict[str, np.ndarray]:
    if any(one.written is None for one in shown):
        return {}
    texts = [list(one.written or ()) for one in shown]
    return {"example_written": _texts(texts, max(map(len, texts)))}


def _reconstruction(shown: list[Explained]) -> dict[str, np.ndarray]:
    if not all(one.reconstructed for one in shown):
        return {}
    return {"example_reconstruction": np.stack([one.reconstructed[0].pixels for one in shown])}


def _prototypes(use: PrototypeUse | None) -> dict[str, np.ndarray]:
    if use is None:
        return {}
    texts = [list(prototype.sentences) for prototype in use.top]
    return {
        "meta_prototype_share": np.array([prototype.share for prototype in use.top]),
        "meta_prototype_sentences": _texts(texts, max(map(len, texts))),
        "meta_prototype_usage": np.array([use.count, use.perplexity]),
    }


def _texts(rows: list[list[str]], width: int) -> np.ndarray:
    return np.array([row + [""] * (width - len(row)) for row in rows], dtype=str).reshape(len(rows), width)
