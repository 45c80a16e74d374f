"""Is a method's similarity a scaled cosine of global features? Measured, because a method does not say it."""

from __future__ import annotations

import numpy as np
from torch.nn import functional as F

from prior_bench.api import Backbone, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.features.extract import Feed, evaluating, image_batches
from prior_bench.features.similarity import TEXTS_AT_ONCE

IMAGES = 32
"""Largest number of images, evenly spaced, whose scores are compared."""

SENTENCES = (
    "The heart is enlarged.",
    "No pleural effusion.",
    "There is a large left pneumothorax with shift of the mediastinum.",
    "Clear.",
    "Patchy opacity in the right lower lobe, consistent with pneumonia.",
    "Interval removal of the endotracheal tube. The lungs are clear.",
    "Pulmonary edema.",
    "Degenerative changes of the spine.",
)
"""Texts that are compared besides the given ones, so that even one prompt can be told from a constant."""

TOLERANCE = 1e-3
"""Largest difference that is allowed, as a share of the range of the scores."""


def cosine_fit(
    backbone: Backbone, manifest: Manifest, texts: list[tuple[str, ...]], context: RunContext
) -> tuple[float, float] | None:
    """Return (scale, bias) with ``similarity = scale * cosine + bias``, or None if none fit.

    The simplest form that fits is returned: scale 1 and bias 0, then any scale, then any scale and bias.

    Args:
        backbone: backbone with a text encoder.
        manifest: images, of which up to :data:`IMAGES` are compared.
        texts: texts, of which as many are compared as ``similarity`` takes in one call.
    """
    method = backbone.text_method
    if getattr(method, "random_evaluation", False) or getattr(method, "texts_together", False):
        return None
    rows = np.unique(np.linspace(0, len(manifest) - 1, min(IMAGES, len(manifest))).astype(int))
    some = [*((sentence,) for sentence in SENTENCES), *texts[: TEXTS_AT_ONCE - len(SENTENCES)]]
    cosines, scores = [], []
    with evaluating(method, context.device):
        text = method.encode_text(method.text_encoder.tokenizer(some).to(context.device))
        batches = image_batches(manifest.select(rows), Feed(backbone.input), context, "comparing scores")
        for images, _ in batches:
            image = method.encode_image(images)
            cosine = F.normalize(image.global_, dim=-1) @ F.normalize(text.global_, dim=-1).T
            cosines.append(cosine.float().cpu().numpy())
            scores.append(method.similarity(image, text).float().cpu().numpy())
    return fit(np.concatenate(cosines), np.concatenate(scores))


def fit(cosines: np.ndarray, scores: np.ndarray) -> tuple[float, float] | None:
    """Return (scale, bias) with ``scores = scale * cosines + bias``, or None; see :func:`cosine_fit`."""
    x, y = cosines.ravel().astype(np.float64), scores.ravel().astype(np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    allowed = TOLERANCE * np.ptp(y) + 1e-6 * float(np.abs(y).max())
    slope = np.cov(x, y, bias=True)[0, 1] / max(float(x.var()), 1e-30)
    for scale, bias in (
        (1.0, 0.0),
        (float(x @ y) / max(float(x @ x), 1e-30), 0.0),
        (float(slope), float(y.mean() - slope * x.mean())),
    ):
        if scale > 0 and np.abs(scale * x + bias - y).max() <= allowed:
            return scale, bias
    return None
