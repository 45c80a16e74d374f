"""Pooling that a protocol states in place of the backbone's own, so that all rows have the same head."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from prior_bench.api import Backbone, Features
from prior_bench.api.encoders import require_maps


class MeanPooled(nn.Module):
    """An image encoder whose global feature is the mean of its last map, as in torchvision's ResNets.

    Args:
        encoder: a :class:`prior_bench.api.encoders.MapEncoderLike`; its own pooling is left out.
    """

    def __init__(self, encoder: Any):
        super().__init__()
        self.encoder, self.input = encoder, encoder.input
        self.dim = encoder.stage_channels[-1]

    def forward(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as global features [B, dim]."""
        (last,) = self.encoder.feature_maps(images, (len(self.encoder.stage_channels) - 1,))
        return Features(last.mean((2, 3)))


def pooled(backbone: Backbone, pool: str) -> Backbone:
    """Return a backbone with the pooling of a protocol: ``"own"`` or ``"mean"`` (of the last map).

    Raises:
        BenchError: ``mean`` needs feature maps, and the backbone has none.
    """
    if pool == "own":
        return backbone
    backbone.require_network("a mean of its last map")
    require_maps(backbone.image_encoder, backbone.name)
    encoder = MeanPooled(backbone.image_encoder)
    return replace(backbone, image_encoder=encoder, identity=f"{backbone.identity}, {pool} of the last map")
