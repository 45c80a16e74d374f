"""Measure whether reconstructed images and sentences are better than chance, with intervals by patient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from prior_bench.api import Backbone, RunContext
from prior_bench.data.manifest import Manifest
from prior_bench.explain.inputs import report_of, tokenised
from prior_bench.features.extract import Feed, evaluating, image_batches
from prior_bench.pictures.choice import spread
from prior_bench.statistics.bootstrap import interval

MEAN_OF = 500
"""Number of evenly spaced training images in the mean image."""

SHUFFLES = 5
"""Number of other images whose reports each image's decoded sentences are compared with."""


@dataclass(frozen=True)
class Measure:
    """A quantity of the model and its chance level, as means over images with 95 % intervals.

    Attributes:
        name: name of the quantity.
        chance_name: definition of chance for it.
        value, chance: means over the images.
        gain: how much better the model is than chance (positive is better), mean of paired differences.
        value_interval, gain_interval: bootstrap intervals by patient.
        images: number of images, or of what ``of`` names.
        of: what the means are over.
    """

    name: str
    chance_name: str
    value: float
    chance: float
    gain: float
    value_interval: tuple[float, float]
    gain_interval: tuple[float, float]
    images: int
    of: str = "images"

    @property
    def verdict(self) -> str:
        """Whether the interval of the gain excludes zero, in words."""
        low, high = self.gain_interval
        if not np.isfinite([low, high]).all():
            return "not tested"
        if low > 0:
            return "better than chance"
        return "worse than chance" if high < 0 else "not significantly different from chance"


def in_words(bounds: tuple[float, float]) -> str:
    """Format lower and upper bound; "undefined" if there are none, as with a single patient."""
    low, high = bounds
    return f"{low:.4g} to {high:.4g}" if np.isfinite(low) and np.isfinite(high) else "undefined"


class Agreement(NamedTuple):
    """The agreement of matched decoded and true sentences: cosine (higher is better) and L1 per channel."""

    cosine: float
    l1: float


def agreement(decoded: Tensor, true: Tensor) -> Agreement:
    """Compute the means over pairs from Hungarian matching of [Q, D] and [S, D], S <= Q, by L1 distance."""
    cost = torch.cdist(decoded.double(), true.double(), p=1).cpu()
    queries, targets = linear_sum_assignment(cost.numpy())
    cosine = F.cosine_similarity(decoded[queries], true[targets], dim=-1).mean()
    return Agreement(float(cosine), float(cost[queries, targets].mean() / decoded.shape[-1]))


def image_l1(reconstructed: Tensor, images: Tensor, std: float) -> np.ndarray:
    """Compute the mean absolute difference [B] of [B or 1, 1, H, W] and [B, C, S, S] in grey levels (255)."""
    target = images[:, :1]
    if target.shape[-2:] != reconstructed.shape[-2:]:
        target = F.interpolate(target, reconstructed.shape[-2:], mode="bilinear", align_corners=True)
    return 255 * std * (reconstructed - target).abs().mean((1, 2, 3)).float().cpu().numpy()


def mean_image(backbone: Backbone, manifest: Manifest, context: RunContext) -> Tensor | None:
    """Compute the mean training input, [1, 1, S, S] on the CPU; None without training images."""
    rows = np.flatnonzero((manifest.table["split"] == "train").to_numpy())
    if not len(rows):
        return None
    some = manifest.select(np.array(spread(rows.tolist(), MEAN_OF)))
    batches = image_batches(some, Feed(backbone.input), context, f"mean image of {manifest.name}")
    sums = [images[:, :1].double().sum(0, keepdim=True).cpu() for images, _ in batches]
    return (torch.stack(sums).sum(0) / len(some)).float()


def measure(
    backbone: Backbone,
    explainer: Any,
    data: Manifest,
    mean: Tensor | None,
    context: RunContext,
    seed: int = 0,
) -> list[Measure]:
    """Measure the reconstructions of the explainer's method over all images of ``data``; all must have
    reports.

    Args:
        explainer: an :class:`prior_bench.explain.contract.Explainer`.
        mean: see :func:`mean_image`; without it, images are not measured.
        seed: seed for the choice of other images' reports.

    Returns:
        The L1 of each kind of reconstruction, with that of the mean training image as chance. The cosine and
        L1 of decoded sentences to the image's own ones, with other images' sentences as chance. Empty if the
        method reconstructs nothing.
    """
    errors: dict[str, list[np.ndarray]] = {}
    chance: list[np.ndarray] = []
    decoded: list[Tensor] = []
    true: list[Tensor] = []
    method = backbone.text_method
    with evaluating(method, context.device):
        for images, rows in image_batches(data, Feed(backbone.input), context, f"reconstructing {data.name}"):
            text = tokenised(method, [report_of(data, int(i)) for i in rows], context.device)
            found = explainer.reconstruct(images, text) if mean is not None else None
            for name, pictures in (found or {}).items():
                errors.setdefault(name, []).append(image_l1(pictures, images, backbone.input.stds[0]))
            if found and mean is not None:
                size = next(iter(found.values())).shape[-2:]
                blank = F.interpolate(mean.to(images), size, mode="bilinear", align_corners=True)
                chance.append(image_l1(blank, images, backbone.input.stds[0]))
            slots = explainer.decoded_sentences(images)
            if slots is not None:
                targets, mask = explainer.true_sentences(text)
                decoded += list(slots.float().cpu())
                true += [row[real].float().cpu() for row, real in zip(targets, mask, strict=True)]
    who = {name: data.table[name].to_numpy(dtype=str) for name in ("id", "patient_id")}
    measures = [
        paired_measure(
            f"image L1, from {name} (grey levels of 255)",
            "the mean training image",
            who,
            np.concatenate(values),
            np.concatenate(chance),
            lower_is_better=True,
        )
        for name, values in errors.items()
    ]
    return measures + (_sentences(decoded, true, who, seed) if len(decoded) > 1 else [])


def _sentences(
    decoded: list[Tensor], true: list[Tensor], who: dict[str, np.ndarray], seed: int
) -> list[Measure]:
    own = np.array([agreement(d, t) for d, t in zip(decoded, true, strict=True)])
    others = np.mean(
        [
            [agreement(decoded[i], true[j]) for i, j in enumerate(partner)]
            for partner in _partners(len(decoded), seed)
        ],
        axis=0,
    )
    chance = "other images' sentences"
    return [
        paired_measure("sentences, cosine after matching", chance, who, own[:, 0], others[:, 0]),
        paired_measure(
            "sentences, L1 after matching", chance, who, own[:, 1], others[:, 1], lower_is_better=True
        ),
    ]


def _partners(count: int, seed: int) -> Iterator[np.ndarray]:
    """Yield assignments of another image to each image, all different."""
    order = np.random.default_rng(seed).permutation(count)
    for step in range(1, min(SHUFFLES, count - 1) + 1):
        partner = np.empty(count, int)
        partner[order] = np.roll(order, step)
        yield partner


def paired_measure(
    name: str,
    chance_name: str,
    who: dict[str, np.ndarray],
    own: np.ndarray,
    chance: np.ndarray,
    *,
    lower_is_better: bool = False,
    of: str = "images",
) -> Measure:
    """Means and intervals of a quantity [N], its chance level [N] and their difference.

    Args:
        who: ``id`` and ``patient_id`` [N]; patients are resampled.
        of: what the N are.
    """
    gain = chance - own if lower_is_better else own - chance
    columns = {**who, "value": own, "gain": gain}

    def means(some: dict[str, np.ndarray]) -> dict[str, float]:
        return {key: float(some[key].mean()) for key in ("value", "gain")}

    bounds = interval(means, columns)
    return Measure(
        name,
        chance_name,
        float(own.mean()),
        float(chance.mean()),
        float(gain.mean()),
        bounds["value"],
        bounds["gain"],
        len(own),
        of,
    )
