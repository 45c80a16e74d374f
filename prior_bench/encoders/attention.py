"""Attention pooling from a feature map to one vector."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class AttentionPool2d(nn.Module):
    """Multi-head attention with the mean of the map as its only query (CLIP, Radford et al. 2021, sec. 2.4).

    The tokens are the mean of the map, followed by its positions in row-major order. A learned embedding is
    added to each of these 1 + H*W tokens; for maps of another size, the embeddings are interpolated.

    Args:
        grid: (H, W), size of the map for which embeddings are learned.
        channels: C, number of channels of the map and of the output.
        heads: number of attention heads; it must divide ``channels``.
    """

    def __init__(self, grid: tuple[int, int], channels: int, heads: int = 8):
        super().__init__()
        self.grid, self.heads = (grid[0], grid[1]), heads
        self.positional_embedding = nn.Parameter(torch.randn(1 + grid[0] * grid[1], channels) / channels**0.5)
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)
        self.v_proj = nn.Linear(channels, channels)
        self.c_proj = nn.Linear(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Pool maps [B, C, H, W] to vectors [B, C]."""
        positions = maps.flatten(2).transpose(1, 2)  # [B, H*W, C]
        mean = positions.mean(dim=1, keepdim=True)
        tokens = torch.cat([mean, positions], dim=1) + self._embedding((maps.shape[-2], maps.shape[-1]))
        query = self._split_heads(self.q_proj(tokens[:, :1]))
        key, value = self._split_heads(self.k_proj(tokens)), self._split_heads(self.v_proj(tokens))
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.c_proj(attended.transpose(1, 2).flatten(1))

    def _split_heads(self, tokens: Tensor) -> Tensor:
        return tokens.unflatten(-1, (self.heads, -1)).transpose(1, 2)  # [B, heads, tokens, C / heads]

    def _embedding(self, grid: tuple[int, int]) -> Tensor:
        if math.prod(grid) == math.prod(self.grid) and tuple(grid) == self.grid:
            return self.positional_embedding
        mean, positions = self.positional_embedding[:1], self.positional_embedding[1:]
        maps = positions.T.unflatten(1, self.grid)[None]
        maps = F.interpolate(maps, size=tuple(grid), mode="bicubic", align_corners=False)
        return torch.cat([mean, maps[0].flatten(1).T])
