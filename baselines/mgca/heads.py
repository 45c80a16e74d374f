"""MGCA's projection heads: linear, BatchNorm, ReLU, linear, BatchNorm without scale and shift."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GlobalHead(nn.Module):
    """A head from [B, in_dim] to the joint space [B, out_dim]; parameters are named as in the release."""

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int):
        super().__init__()
        self.head = nn.Sequential(
            nn.Linear(in_dim, hidden_dim),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_dim, out_dim),
            nn.BatchNorm1d(out_dim, affine=False),
        )

    def forward(self, vectors: Tensor) -> Tensor:
        """Map [B, in_dim] to [B, out_dim]."""
        return self.head(vectors)


class LocalHead(nn.Module):
    """A head for vectors at N positions; BatchNorm is over batch and positions."""

    def __init__(self, in_dim: int, hidden_dim: int, out_dim: int):
        super().__init__()
        self.out_dim = out_dim
        self.head = nn.Sequential(
            nn.Conv1d(in_dim, hidden_dim, kernel_size=1),
            nn.BatchNorm1d(hidden_dim),
            nn.ReLU(inplace=True),
            nn.Conv1d(hidden_dim, out_dim, kernel_size=1),
            nn.BatchNorm1d(out_dim, affine=False),
        )

    def forward(self, vectors: Tensor, mask: Tensor | None = None, count: int | None = None) -> Tensor:
        """Map [B, N, in_dim] to [B, N, out_dim].

        Args:
            vectors: [B, N, in_dim].
            mask: bool [B, N]. If given, only these positions are mapped and enter BatchNorm; all others
                become 0.
            count: number of these positions, if it is known; otherwise the host waits for the mask.
        """
        if mask is None:
            return self.head(vectors.mT).mT
        count = int(mask.sum()) if count is None else count
        places = torch.nonzero_static(mask.flatten(), size=count)[:, 0]
        mapped = self.head(vectors.flatten(0, 1)[places].T[None])[0].T  # [places, out_dim]
        everywhere = mapped.new_zeros(mask.numel(), self.out_dim).index_copy(0, places, mapped)
        return everywhere.unflatten(0, mask.shape)
