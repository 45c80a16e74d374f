"""Grad-CAM of the score between an image and a phrase, for any method whose score depends on the last map.

Each channel of the image encoder's last map is weighted by the mean of the score's gradient over positions.
The map of the phrase is the weighted sum of the channels, cut at 0 (Selvaraju et al. 2017, arXiv 1610.02391,
eq. 1 and 2). The score is the method's own ``similarity`` of the pair. No local features are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from prior_bench.api import Backbone, Features, Method
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.encoders.wrapped import as_map
from prior_bench.errors import BenchError
from prior_bench.explain.inputs import tokenised


def grad_cam(
    backbone: Backbone, method: Method, images: Tensor, phrases: Sequence[Sequence[str]]
) -> np.ndarray:
    """The maps of the phrases of each image, float32 [P, G, G], not negative; image by image.

    Only what follows the last map is differentiated, and no parameter gets a gradient.

    Args:
        method: in evaluation mode.
        images: [B, C, S, S] on its device.
        phrases: of each of the B images.

    Raises:
        BenchError: the score does not depend on the last map.
    """
    with last_map(method) as maps:
        image = method.encode_image(images)
        found: list[list[np.ndarray]] = [[] for _ in phrases]
        texts, number = _encoded(method, phrases, str(images.device))
        _require_finite(backbone, image, texts)
        for nth in range(max(map(len, phrases))):
            rows = [i for i, some in enumerate(phrases) if nth < len(some)]
            scores = torch.stack(
                [
                    method.similarity(_row(image, i), _row(texts, number[phrases[i][nth]])).squeeze()
                    for i in rows
                ]
            )
            require_finite_scores(scores.detach().float().cpu().numpy(), "scores of phrases", backbone.name)
            # rows do not depend on each other, so that the gradient of the sum is that of each score
            gradient = _gradient(backbone, scores.sum(), maps[-1])
            for i, one in zip(rows, _weighted(maps[-1].detach()[rows], gradient[rows]), strict=True):
                found[i].append(one)
    return np.stack([one for some in found for one in some])


@contextmanager
def last_map(method: Method) -> Iterator[list[Tensor]]:
    """Collect what the layer of Grad-CAM gives when the method encodes images within the block.

    What is computed from it has gradients with respect to it; what comes before it has none.
    """
    found: list[Tensor] = []

    def cut(_module: Any, _inputs: Any, output: Any) -> Any:
        several = isinstance(output, tuple)
        torch.set_grad_enabled(True)
        found.append((output[0] if several else output).detach().requires_grad_())
        continued = found[-1].clone()  # the next layer may work in place, which a leaf forbids
        return (continued, *output[1:]) if several else continued

    before = torch.is_grad_enabled()
    handle = method.image_encoder.grad_cam_layer.register_forward_hook(cut)
    try:
        yield found
    finally:
        handle.remove()
        torch.set_grad_enabled(before)


def _encoded(
    method: Method, phrases: Sequence[Sequence[str]], device: str
) -> tuple[Features, dict[str, int]]:
    """The features of all different phrases, without gradients, and the row of each."""
    distinct = list(dict.fromkeys(text for some in phrases for text in some))
    with torch.no_grad():
        texts = method.encode_text(tokenised(method, [(text,) for text in distinct], device))
    return texts, {text: n for n, text in enumerate(distinct)}


def _require_finite(backbone: Backbone, image: Features, text: Features) -> None:
    for what, features in (("images", image), ("phrases", text)):
        values = features.global_.detach().float().cpu().numpy()
        require_finite_scores(values, f"features of {what}", backbone.name)


def _gradient(backbone: Backbone, score: Tensor, map_: Tensor) -> Tensor:
    found = None
    if score.requires_grad:
        (found,) = torch.autograd.grad(score, map_, retain_graph=True, allow_unused=True)
    if found is None:
        raise BenchError(
            "the score of an image and a text does not depend on the last map, which Grad-CAM needs",
            where=f"backbone '{backbone.name}'",
            fix="set options.map to another kind, or leave this backbone out",
        )
    return found


def _weighted(map_: Tensor, gradient: Tensor) -> np.ndarray:
    """Maps [R, G, G] from the outputs of a layer and the gradients with respect to them."""
    channels, slopes = as_map(map_, "the layer"), as_map(gradient, "the layer")
    weights = slopes.mean((2, 3), keepdim=True)
    return (weights * channels).sum(1).relu().float().cpu().numpy()


def _row(features: Features, row: int) -> Features:
    local, mask = (None if part is None else part[row : row + 1] for part in (features.local, features.mask))
    return Features(features.global_[row : row + 1], local, mask)
