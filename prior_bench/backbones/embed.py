"""Compute the embeddings of a backbone, in the form of a file of embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np

from prior_bench import __version__
from prior_bench.api import Backbone, NeededVectors, RunContext, text_key
from prior_bench.backbones.stored_embeddings import UNKNOWN, StoredEmbeddings, file_sizes
from prior_bench.errors import BenchError

NO_COSINE = (
    "texts left out: the scores of this method are not a cosine of one vector per image and one per text, so "
    "vectors cannot stand for them; evaluate the backbone itself"
)
"""Remark if vectors cannot give a method's scores."""


def compute_embeddings(
    backbone: Backbone, needed: NeededVectors, context: RunContext, exposure: dict[str, Any] | None = None
) -> tuple[StoredEmbeddings, list[str]]:
    """Compute the vectors of images and, if they give the scores of the method, of texts.

    Vectors of images come from the cache of features if they are there.

    Args:
        backbone: the model; it must have a network.
        needed: images and texts.
        context: device, workers and cache.
        exposure: exposure of the weights (:func:`prior_bench.suites.leakage.exposure_of`).

    Returns:
        The embeddings, and remarks about what was left out.

    Raises:
        BenchError: there are only stored vectors already, there are texts and no text encoder, or vectors
            cannot be used.
    """
    from prior_bench.features.cosine import cosine_fit
    from prior_bench.features.extract import extract
    from prior_bench.features.similarity import text_vectors

    backbone.require_network("embed")
    images, notes = needed.images, []
    parts: dict[str, Any] = {"vectors": extract(backbone, images, context)}
    if needed.texts:
        fitted = cosine_fit(backbone, images, needed.texts, context)
        if fitted is None:
            notes.append(NO_COSINE)
        else:
            joint = extract(backbone, images, context, "joint")
            parts["joint"] = None if np.array_equal(joint, parts["vectors"]) else joint
            found = text_vectors(backbone, needed.texts, context, f"texts of {images.name}")
            parts["texts"], parts["text_vectors"] = _once_each(needed.texts, found)
            parts["scale"], parts["bias"] = fitted
    sizes = file_sizes(images)
    about = {
        "backbone": {k: v for k, v in backbone.provenance.items() if k not in ("exposure", "weights")},
        "identity": backbone.identity,
        "data": images.name,
        "prior_bench": __version__,
        **({"exposure": exposure} if exposure else {}),
    }
    stored = StoredEmbeddings(
        ids=images.table["id"].to_numpy(dtype=str),
        **parts,
        sizes=None if (sizes == UNKNOWN).all() else sizes,
        about=about,
        where=backbone.name,
    )
    return stored, notes


def _once_each(texts: list[tuple[str, ...]], vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of texts, each once, with their vectors.

    Raises:
        BenchError: two texts with one key have different vectors, because their sentences are divided
            differently.
    """
    row: dict[str, int] = {}
    for i, text in enumerate(texts):
        first = row.setdefault(text_key(text), i)
        if not np.allclose(vectors[i], vectors[first], rtol=1e-3, atol=1e-5):
            what = "a text has different vectors when it is divided into sentences in another way"
            fix = "write the texts of each protocol to a file of its own"
            raise BenchError(what, where=f"'{text_key(text)[:60]}'", fix=fix)
    return np.array(list(row), dtype=str), vectors[list(row.values())]
