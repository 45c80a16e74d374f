"""The image decoder and the report decoder of the cross-modality conditional reconstruction (CCR)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from prior_bench.prior.checkpointing import run
from prior_bench.prior.upsampling import upsampled_conv


class _ConvBlock(nn.Module):
    """Nearest-neighbour up-sampling, followed by two sequences of conv 3x3, batch norm and ReLU."""

    def __init__(self, channels_in: int, channels_out: int, size: int | None):
        super().__init__()
        self.size, self.layout = size, _layout(channels_out)
        self.conv1 = self._conv(channels_in, channels_out)
        self.conv2 = self._conv(channels_out, channels_out)

    @staticmethod
    def _conv(channels_in: int, channels_out: int) -> Any:
        conv = nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False)
        return nn.Sequential(conv, nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=self.layout)
        conv1, *norm_and_relu = list(self.conv1)
        if self.size:
            x = conv1(F.interpolate(x, size=self.size, mode="nearest"))
        else:
            x = upsampled_conv(x, conv1.weight)
        for layer in norm_and_relu:
            x = layer(x)
        return self.conv2(x)


def _layout(channels: int) -> torch.memory_format:
    """Return the memory layout of feature maps; channels last is up to 50 % faster.

    On a CPU with several threads, however, torch 2.14 crashes in the backward pass of such convolutions if
    they have fewer than 16 channels.
    """
    return torch.channels_last if channels >= 16 else torch.contiguous_format


class ImageDecoder(nn.Module):
    """Decoder from a feature map to a grey image that is 2**blocks times as large.

    Args:
        channels: C of the input; every block halves it.
        blocks: number of blocks.
        sizes: side after each block; by default, every block doubles the side.
        checkpoint: whether to keep only the blocks' inputs for the backward pass and compute the rest again.
    """

    def __init__(
        self,
        channels: int,
        blocks: int = 5,
        sizes: tuple[int, ...] | None = None,
        checkpoint: bool = False,
    ):
        super().__init__()
        self.checkpoint = checkpoint
        widths = [channels // 2**i for i in range(blocks + 1)]
        self.blocks = nn.ModuleList(
            _ConvBlock(widths[i], widths[i + 1], sizes[i] if sizes else None) for i in range(blocks)
        )
        self.output_head = nn.Sequential(nn.Conv2d(widths[-1], 1, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """Decode [B, C, H, W] to [B, 1, H 2**blocks, W 2**blocks]."""
        recompute = self.checkpoint and torch.is_grad_enabled()
        for block in self.blocks:
            x = run(block, x, recompute=recompute)
        return self.output_head(x.contiguous())  # the output has one channel, see _layout


class _Attention(nn.Module):
    """Multi-head attention with residual connection and LayerNorm; the parameters have BERT's names."""

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.self = nn.ModuleDict({name: nn.Linear(dim, dim) for name in ("query", "key", "value")})
        self.output = nn.ModuleDict({"dense": nn.Linear(dim, dim), "LayerNorm": _layer_norm(dim)})

    def forward(self, x: Tensor, seen: Tensor, causal: bool = False) -> Tensor:
        query, key, value = (
            self.self[name](source).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name, source in (("query", x), ("key", seen), ("value", seen))
        )
        dropout = self.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=causal)
        mixed = self.output["dense"](mixed.transpose(1, 2).flatten(2))
        return self.output["LayerNorm"](x + F.dropout(mixed, self.dropout, self.training))


class _DecoderLayer(nn.Module):
    """Self-attention, cross-attention and feed-forward layer, each followed by LayerNorm, as in BERT."""

    def __init__(self, dim: int, heads: int, hidden: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.attention = _Attention(dim, heads, dropout)
        self.crossattention = _Attention(dim, heads, dropout)
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(dim, hidden)})
        self.output = nn.ModuleDict({"dense": nn.Linear(hidden, dim), "LayerNorm": _layer_norm(dim)})

    def forward(self, x: Tensor, seen: Tensor, causal: bool) -> Tensor:
        x = self.crossattention(self.attention(x, x, causal), seen)
        expanded = self.output["dense"](F.gelu(self.intermediate["dense"](x)))
        return self.output["LayerNorm"](x + F.dropout(expanded, self.dropout, self.training))


def _layer_norm(dim: int) -> nn.LayerNorm:
    return nn.LayerNorm(dim, eps=1e-12)


class ReportDecoder(nn.Module):
    """BERT decoder layers, in which learned queries attend to the patches in parallel (PRIOR, CCR).

    The layers do not use ``transformers.BertModel(is_decoder=True)``, which adds a causal mask unless it gets
    a 4-D mask (see the README). Parameters have BERT's names, so that the weights of a BERT decoder fit,
    except its word embeddings, which do not exist here.

    Args:
        dim: D.
        layers: number of decoder layers.
        heads: number of attention heads.
        hidden: width of the feed-forward layer.
        positions: number of position embeddings; at least the number of queries.
        dropout: dropout rate of attention weights and of the output of every sub-layer.
        causal: whether query i attends only to queries 1..i.
        checkpoint: whether to keep only the layers' inputs for the backward pass and compute the rest again.
    """

    def __init__(
        self,
        dim: int,
        layers: int = 8,
        heads: int = 12,
        hidden: int = 3072,
        positions: int = 512,
        dropout: float = 0.1,
        causal: bool = False,
        checkpoint: bool = False,
    ):
        super().__init__()
        self.causal, self.dropout, self.checkpoint = causal, dropout, checkpoint
        self.embeddings: Any = nn.ModuleDict(
            {
                "position_embeddings": nn.Embedding(positions, dim),
                "token_type_embeddings": nn.Embedding(2, dim),
                "LayerNorm": _layer_norm(dim),
            }
        )
        stack = nn.ModuleList(_DecoderLayer(dim, heads, hidden, dropout) for _ in range(layers))
        self.encoder: Any = nn.ModuleDict({"layer": stack})
        self.apply(_init_as_bert)

    def forward(self, queries: Tensor, patches: Tensor) -> Tensor:
        """Decode queries [B, N, D] and patches [B, I, D] to sentences [B, N, D]."""
        positions = self.embeddings["position_embeddings"].weight[: queries.shape[1]]
        x = queries + positions + self.embeddings["token_type_embeddings"].weight[0]
        x = F.dropout(self.embeddings["LayerNorm"](x), self.dropout, self.training)
        recompute = self.checkpoint and torch.is_grad_enabled()
        for layer in self.encoder["layer"]:
            x = run(layer, x, patches, self.causal, recompute=recompute)
        return x


def _init_as_bert(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        torch.nn.init.normal_(module.weight, std=0.02)
    if isinstance(module, nn.Linear):
        torch.nn.init.zeros_(module.bias)
