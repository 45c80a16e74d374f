"""Collect explanations of images: attention, written report, reconstructions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prior_bench.api import Backbone, InputSpec, RunContext
from prior_bench.data.images.dataset import ImageDataset
from prior_bench.data.images.transforms import eval_transform
from prior_bench.data.manifest import Manifest
from prior_bench.explain.attention import Attention, attention_of
from prior_bench.explain.inputs import report_of, tokenised
from prior_bench.features.extract import Feed, evaluating


@dataclass
class Reconstruction:
    """A reconstructed image.

    Attributes:
        source: input from which it was reconstructed.
        pixels: uint8 [H, W].
        tensor: [1, 1, H, W], in the scale of the input.
    """

    source: str
    pixels: np.ndarray
    tensor: Tensor


@dataclass
class Explained:
    """The explanation of one image.

    Attributes:
        id: id of the sample.
        report: true sentences of its report.
        seen: uint8 [S, S], the image as the network saw it.
        fed: [1, C, S, S], the input of the network.
        attention: attention of each sentence; None if the method has no attention.
        written: sentences that the method writes; None if it writes none.
        reconstructed: reconstructed images; empty if the method reconstructs none.
    """

    id: str
    report: tuple[str, ...]
    seen: np.ndarray
    fed: Tensor
    attention: list[Attention] | None = None
    written: tuple[str, ...] | None = None
    reconstructed: list[Reconstruction] = field(default_factory=list)


def explain_images(
    backbone: Backbone, explainer: Any | None, data: Manifest, context: RunContext, feed: Feed | None = None
) -> list[Explained]:
    """Explain every image of ``data``, one at a time; all must have reports.

    Args:
        backbone: backbone with a method.
        explainer: an :class:`prior_bench.explain.contract.Explainer`, or None.
        feed: input and steps for images; by default those that the backbone expects.
    """
    feed = feed or Feed(backbone.input)
    images = ImageDataset(data, eval_transform(feed.input, feed.steps))
    method = backbone.text_method
    with evaluating(method, context.device):
        return [
            _explain(backbone, explainer, feed.input, data, row, images[row][0][None].to(context.device))
            for row in range(len(data))
        ]


def _explain(
    backbone: Backbone, explainer: Any | None, spec: InputSpec, data: Manifest, row: int, image: Tensor
) -> Explained:
    method = backbone.text_method
    report = report_of(data, row)
    tokens = tokenised(method, [report], str(image.device))
    attention = attention_of(method, method.encode_image(image), method.encode_text(tokens), tokens, [report])
    shown = Explained(
        str(data.table["id"].iat[row]),
        report,
        grey(image, spec),
        image.cpu(),
        attention[0] if attention is not None else None,
    )
    if explainer is not None:
        written = explainer.write(image)
        shown.written = tuple(written[0]) if written is not None else None
        for source, picture in (explainer.reconstruct(image, tokens) or {}).items():
            shown.reconstructed.append(Reconstruction(source, grey(picture, spec), picture.cpu()))
    return shown


def grey(image: Tensor, spec: InputSpec) -> np.ndarray:
    """Convert the first channel of an input [1, C, H, W] to grey levels, uint8 [H, W]."""
    levels = 255 * (image[0, 0].float() * spec.stds[0] + spec.means[0])
    return levels.round().clamp(0, 255).to(torch.uint8).cpu().numpy()
