"""The cross-attention of CARZero: vectors read the features of images or texts, and each becomes a logit."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

HEADS = 4
"""Attention heads, of which tensors show nothing; the number is from the authors' code."""
HIDDEN = (1024, 512, 256)
"""Widths of the head's hidden layers."""
DROPOUT = 0.1


class CrossLayer(nn.Module):
    """A decoder layer without self-attention; its parts have the names of torch's decoder layer.

    Args:
        width: D, number of channels.
        feedforward: width of the hidden layer.
    """

    def __init__(self, width: int, feedforward: int):
        super().__init__()
        self.multihead_attn = nn.MultiheadAttention(width, HEADS, DROPOUT, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, feedforward), nn.Linear(feedforward, width)
        self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Let queries [B, Q, D] read the memory [B, N, D]; return them with what they read."""
        read, _ = self.multihead_attn(self.norm2(queries), memory, memory, need_weights=False)
        queries = queries + self.dropout(read)
        hidden = self.dropout(F.relu(self.linear1(self.norm3(queries))))
        return queries + self.dropout(self.linear2(hidden))


class CrossDecoder(nn.Module):
    """Layers of cross-attention and a head of four linear layers with one logit.

    Queries do not attend to each other: the logit of one does not depend on the others.

    Args:
        width: D, number of channels; a multiple of 4.
        layers: number of layers.
        feedforward: width of the hidden layers.
    """

    def __init__(self, width: int, layers: int, feedforward: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(CrossLayer(width, feedforward) for _ in range(layers))
        head: list[nn.Module] = []
        for inputs, outputs in zip((width, *HIDDEN), HIDDEN, strict=False):
            head += [nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(DROPOUT)]
        self.head = nn.Sequential(*head, nn.Linear(HIDDEN[-1], 1))
        self.dropout = nn.Dropout(DROPOUT)

    def forward(self, queries: Tensor, memory: Tensor) -> Tensor:
        """Compute the logit of each of Q queries [Q, D] for each memory [B, N, D], [B, Q].

        One layer norm is used for queries, memory and the output of the last layer.
        """
        memory = self.norm(memory)
        found = self.norm(queries).expand(len(memory), -1, -1)
        for layer in self.layers:
            found = layer(found, memory)
        return self.head(self.dropout(self.norm(found))).squeeze(-1)
