"""Convert other libraries' names of tensors in image encoders to timm's."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.folders import weights_file

Rule = tuple[str, str | Callable[[re.Match], str]]


@dataclass(frozen=True)
class Naming:
    """The names that a library gives to the tensors of an image encoder.

    Attributes:
        name: name for display.
        mark: regular expression that at least one name matches; an empty one matches every checkpoint.
        rules: pairs (pattern, replacement), applied in order to each name; prefixes do not change.
    """

    name: str
    mark: str = ""
    rules: tuple[Rule, ...] = ()

    def renamed(self, name: str) -> str:
        """Return timm's name for a name of this library."""
        for pattern, replacement in self.rules:
            name = re.sub(pattern, replacement, name)
        return name


def _next(text: str) -> Callable[[re.Match], str]:
    return lambda found: text.format(int(found[1]) + 1)


NAMINGS = (
    Naming(
        "transformers ResNet",
        r"embedder\.embedder\.convolution\.",
        (
            (r"embedder\.embedder\.convolution\.", "conv1."),
            (r"embedder\.embedder\.normalization\.", "bn1."),
            (r"encoder\.stages\.(\d+)\.layers\.", _next("layer{}.")),
            (r"shortcut\.convolution\.", "downsample.0."),
            (r"shortcut\.normalization\.", "downsample.1."),
            (r"layer\.(\d+)\.convolution\.", _next("conv{}.")),
            (r"layer\.(\d+)\.normalization\.", _next("bn{}.")),
        ),
    ),
    Naming(
        "transformers ViT",
        r"patch_embeddings\.projection\.",
        (
            (r"embeddings\.cls_token$", "cls_token"),
            (r"embeddings\.position_embeddings$", "pos_embed"),
            (r"embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
            (r"encoder\.layer\.(\d+)\.", r"blocks.\1."),
            (r"attention\.attention\.qkv\.", "attn.qkv."),
            (r"attention\.output\.dense\.", "attn.proj."),
            (r"intermediate\.dense\.", "mlp.fc1."),
            (r"output\.dense\.", "mlp.fc2."),
            (r"layernorm_before\.", "norm1."),
            (r"layernorm_after\.", "norm2."),
            (r"(^|\.)layernorm\.", r"\1norm."),
        ),
    ),
    Naming(
        "torchvision ViT",
        r"encoder\.layers\.encoder_layer_0\.",
        (
            (r"class_token$", "cls_token"),
            (r"conv_proj\.", "patch_embed.proj."),
            (r"encoder\.pos_embedding$", "pos_embed"),
            (r"encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
            (r"self_attention\.in_proj_", "attn.qkv."),
            (r"self_attention\.out_proj\.", "attn.proj."),
            (r"\.ln_([12])\.", r".norm\1."),
            (r"\.mlp\.(0|linear_1)\.", ".mlp.fc1."),
            (r"\.mlp\.(3|linear_2)\.", ".mlp.fc2."),
            (r"encoder\.ln\.", "norm."),
        ),
    ),
    Naming("torchvision or timm state dict"),
)
"""Known namings, the most specific first."""


def naming_of(names: set[str]) -> Naming:
    """Return the naming that matches the names of tensors."""
    return next(naming for naming in NAMINGS if any(re.search(naming.mark, name) for name in names))


def read_for_timm(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a weights file or folder; separate queries, keys and values of a ViT are joined.

    Raises:
        BenchError: as for :func:`prior_bench.checkpoints.files.read_tensors`.
    """
    return joined(read_tensors(weights_file(path)))


def joined(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join ``attention.attention.{query,key,value}`` to one ``qkv``, as in timm."""
    found = {}
    for name, tensor in tensors.items():
        part = re.fullmatch(r"(.*layer\.\d+\.attention\.attention\.)(query|key|value)\.(weight|bias)", name)
        # BERT has the same parts one level higher, so that only those of a ViT match
        trio = [f"{part[1]}{which}.{part[3]}" for which in ("query", "key", "value")] if part else []
        if part is None or any(one not in tensors for one in trio):
            found[name] = tensor
        elif part[2] == "query":
            found[f"{part[1]}qkv.{part[3]}"] = torch.cat([tensors[one] for one in trio])
    return found
