"""Enlargement of images inside a network, after all transforms, as MGCA's and GLoRIA's ResNets do it."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from prior_bench.api import Backbone, Features


class Enlarged(nn.Module):
    """An image encoder that sees images enlarged bilinearly, corners on corners.

    Args:
        encoder: see :class:`prior_bench.api.encoders.ImageEncoderLike`.
        side: height and width after the enlargement, in pixels.
    """

    def __init__(self, encoder: nn.Module, side: int):
        super().__init__()
        self.encoder, self.side = encoder, side

    def forward(self, images: Tensor) -> Features | Tensor:
        """Encode images [B, C, S, S]."""
        encoded: Features | Tensor = self.encoder(enlarged(images, self.side))
        return encoded


def enlarged(images: Tensor, side: int) -> Tensor:
    """Return images [B, C, S, S] as [B, C, side, side]."""
    return F.interpolate(images, size=(side, side), mode="bilinear", align_corners=True)


def with_enlargement(encoder: Any, side: int | None) -> Any:
    """Return an encoder that enlarges its images if it is convolutional and a side is given.

    Convolutional is what has BatchNorm2d, as the papers' ResNets have. Transformers are left as they are.
    """
    convolutional = any(isinstance(module, nn.BatchNorm2d) for module in encoder.modules())
    return Enlarged(encoder, side) if side and convolutional else encoder


def side_for(backbone: Backbone, enlarge: int | str | None) -> int | None:
    """Return the side to which a protocol enlarges the images of a backbone; None if it does not.

    Args:
        enlarge: the protocol's option: a side in pixels, or ``"as_pretrained"``, the side to which the
            backbone's method enlarges them for its own similarities (its attribute ``upsample``), if any.
    """
    return getattr(backbone.method, "upsample", None) if enlarge == "as_pretrained" else enlarge  # type: ignore[return-value]
