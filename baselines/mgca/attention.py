"""The attention of [CLS], which weights words and patches in the token-wise alignment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from prior_bench.errors import BenchError


def clipped_weights(attention: Tensor, low: float = 0.1, high: float = 0.9) -> Tensor:
    """Convert attention to weights [B, N]: clip it to its own quantiles, and normalise the sum to 1.

    Args:
        attention: [B, N]; entries that are not positive (padding) keep weight 0 and do not affect the
            quantiles.
        low, high: the quantiles, with linear interpolation.
    """
    real = attention > 0
    ordered = attention.masked_fill(~real, torch.inf).sort(dim=1).values
    last = (real.sum(1, keepdim=True) - 1).clamp(min=0)

    def quantile(share: float) -> Tensor:
        place = share * last.to(attention.dtype)
        below = place.floor().long()
        above = torch.minimum(below + 1, last)
        return torch.lerp(ordered.gather(1, below), ordered.gather(1, above), place - below)

    clipped = attention.clamp(quantile(low), quantile(high)).masked_fill(~real, 0)
    return clipped / clipped.sum(1, keepdim=True).clamp(min=torch.finfo(attention.dtype).tiny)


def uniform_weights(tokens: Tensor) -> Tensor:
    """Return equal weights [B, N] for N tokens [B, N, D]."""
    return tokens.new_full(tokens.shape[:2], 1 / tokens.shape[1])


def shifted(attention: Tensor) -> Tensor:
    """Return the attention [B, L] to the next token instead of the token itself; 0 for the last token."""
    return torch.cat([attention[:, 1:], torch.zeros_like(attention[:, :1])], dim=1)


class LastAttention:
    """The attention of a timm ViT's [CLS] in the last block, which fused kernels do not return.

    Args:
        model: a timm ViT.

    Raises:
        BenchError: the last block's attention has an unknown structure.
    """

    def __init__(self, model: Any):
        self.attention: Any = getattr(model.blocks[-1], "attn", None)
        self.prefix = model.num_prefix_tokens
        known = ("qkv", "q_norm", "k_norm", "num_heads", "scale")
        if not self.prefix or not all(hasattr(self.attention, name) for name in known):
            raise BenchError(
                "MGCA weights patches by the attention of [CLS], which this model does not provide",
                where=f"image_encoder.model_name ({type(model).__name__})",
                fix="use a plain ViT such as vit_base_patch16_224, or a CNN",
            )

    @contextmanager
    def watch(self) -> Iterator[list[Tensor]]:
        """Yield a list to which each forward pass within the block adds its attention, [B, patches]."""
        seen: list[Tensor] = []
        handle = self.attention.register_forward_pre_hook(lambda _, inputs: seen.append(self._of(inputs[0])))
        try:
            yield seen
        finally:
            handle.remove()

    @torch.no_grad()
    def _of(self, tokens: Tensor) -> Tensor:
        layer = self.attention
        qkv = layer.qkv(tokens).unflatten(-1, (3, layer.num_heads, -1))  # [B, tokens, 3, heads, D / heads]
        query, key = layer.q_norm(qkv[:, :1, 0].transpose(1, 2)), layer.k_norm(qkv[:, :, 1].transpose(1, 2))
        attention = (layer.scale * query @ key.mT).softmax(dim=-1)  # [B, heads, 1, tokens]
        return attention[:, :, 0, self.prefix :].mean(dim=1)
