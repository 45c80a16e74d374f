"""Find the timm model and its arguments that a checkpoint's tensors, or the configs beside it, belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.checkpoints.folders import config_of_folder, encoder_of_folder
from prior_bench.checkpoints.recognise import Recognition, recognise, refusal
from prior_bench.checkpoints.timm_names import naming_of
from prior_bench.errors import BenchError

FAMILIES: dict[str, tuple[str, ...]] = {
    r"(^|\.)layer1\.0\.conv1\.": ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    r"(^|\.)denseblock1\.": ("densenet121", "densenet169"),
    r"(^|\.)stages\.0\.blocks\.0\.conv_dw\.": (
        *("convnext_tiny", "convnext_small", "convnext_base", "convnext_large"),
    ),
    r"(^|\.)layers\.0\.blocks\.0\.attn\.": (
        *("swin_tiny_patch4_window7_224", "swin_small_patch4_window7_224", "swin_base_patch4_window7_224"),
        *("swin_large_patch4_window7_224", "swin_base_patch4_window12_384", "swin_large_patch4_window12_384"),
    ),
    r"(^|\.)blocks\.0\.ls1\.gamma$": (
        *("vit_small_patch14_dinov2", "vit_base_patch14_dinov2", "vit_large_patch14_dinov2"),
        *("vit_small_patch14_reg4_dinov2", "vit_base_patch14_reg4_dinov2", "vit_large_patch14_reg4_dinov2"),
    ),
    r"(^|\.)blocks\.0\.mlp\.(fc1_g\.|fc1\.)": (
        *("vit_tiny_patch16_224", "vit_small_patch16_224", "vit_base_patch16_224", "vit_base_patch32_224"),
        *("vit_large_patch16_224",),
        *("eva02_tiny_patch14_224", "eva02_small_patch14_224", "eva02_base_patch14_224"),
    ),
}
"""timm models that are tried if the architecture of a checkpoint is not given, by a pattern that one of its
names has. Attention heads leave no trace in tensors: a ViT is taken to have those of timm's model."""


def arguments_for(
    tensors: dict[str, Tensor], path: str | Path, given: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the arguments of the ImageEncoder for a checkpoint: the given ones, its folder's, or guessed
    ones.

    Args:
        tensors: from :func:`prior_bench.checkpoints.timm_names.read_for_timm`.
        path: the file or folder.
        given: arguments from the user; they replace those of the folder.

    Raises:
        BenchError: the folder's config cannot be used, or no known architecture fits.
    """
    arguments = dict(given or encoder_of_folder(path))
    if "model_name" not in arguments:
        model_name, channels = guess_architecture(tensors, path)
        arguments = {"in_channels": channels, **arguments, "model_name": model_name}
    own = arguments.get("model_args") or {}
    told = {
        **_pooled_by_average(tensors),
        **_heads(arguments["model_name"], path),
        **_side(tensors, arguments),
    }
    if told:
        arguments["model_args"] = {**told, **own}
    if "img_size" in told:
        arguments["input"] = {"size": told["img_size"], **(arguments.get("input") or {})}
    return arguments


def guess_architecture(tensors: dict[str, Tensor], path: str | Path) -> tuple[str, int]:
    """Guess the timm model that a checkpoint belongs to, and its number of input channels.

    Raises:
        BenchError: no architecture of FAMILIES fits, or the file is a whole CLIP model.
    """
    _refuse_clip(tensors, path)
    best: tuple[tuple[float, int], str, Recognition] | None = None
    for name in _candidates(tensors):
        side = _side(tensors, {"model_name": name}).get("img_size")
        found = recognise(tensors, without_memory(name, side))
        rank = (found.share, len(found.mapping))  # the tensors of ResNet-18 are a part of ResNet-34's
        if best is None or rank > best[0]:
            best = (rank, name, found)
    assert best is not None, "there are architectures"
    _, name, found = best
    if found.is_refused:
        raise refusal(found, name, path, guessed=True)
    first = next(source for source in found.mapping.values() if tensors[source].ndim == 4)
    channels = tensors[first].shape[1]
    return name, channels if channels in (1, 3) else 3


@cache
def without_memory(name: str, size: int | None = None) -> nn.Module:
    """Build a timm model whose tensors have shapes but no data, for images of ``size`` pixels."""
    import timm

    arguments: dict[str, Any] = {} if size is None else {"img_size": size}
    with torch.device("meta"):
        return timm.create_model(name, num_classes=0, **arguments)


def _refuse_clip(tensors: dict[str, Tensor], path: str | Path) -> None:
    """Raise BenchError if a file has the names of OpenAI's CLIP, which open_clip builds (CheXzero's, too)."""
    names = {name.removeprefix("module."): tensor.shape for name, tensor in tensors.items()}
    if not {"visual.conv1.weight", "visual.proj", "token_embedding.weight", "text_projection"} <= set(names):
        return
    width, _, patch, _ = names["visual.conv1.weight"]
    model = f"ViT-{'L' if width == 1024 else 'B'}-{patch}-quickgelu"
    raise BenchError(
        f"is a whole CLIP model with OpenAI's names (of the size of {model}), and does not state its input",
        where=path,
        fix=f"--backbone open_clip:{model}@{path} --input 'size=224,mean=…,std=…,resize=…'; of CheXzero: "
        "'size=224,mean=0.398,std=0.3272,resize=pad,interpolation=bicubic'",
    )


def _candidates(tensors: dict[str, Tensor]) -> Iterator[str]:
    """Yield the models of the families whose pattern a name has; of the first family if none has."""
    naming = naming_of(set(tensors))
    names = [naming.renamed(name) for name in tensors]
    fitting = [family for family in FAMILIES if any(re.search(family, name) for name in names)]
    for family in fitting or list(FAMILIES)[:1]:
        yield from FAMILIES[family]


def _pooled_by_average(tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return timm's argument for a ViT that was fine-tuned on the mean of its patches, as MAE does.

    Such a file has the norm after the pooling (``fc_norm``) and none before it.
    """
    last = {name.rpartition(".")[0].rpartition(".")[2] for name in tensors if name.count(".") < 3}
    return {"global_pool": "avg"} if "fc_norm" in last and "norm" not in last else {}


def _heads(model_name: str, path: str | Path) -> dict[str, Any]:
    """Return timm's argument for a ViT whose folder states another number of attention heads.

    The tensors of all numbers of heads have the same shapes.
    """
    heads = config_of_folder(path).get("num_attention_heads")
    blocks = getattr(without_memory(model_name), "blocks", None) if isinstance(heads, int) else None
    own = getattr(getattr(blocks[0], "attn", None), "num_heads", heads) if blocks else heads
    return {} if own == heads else {"num_heads": heads}


def _side(tensors: dict[str, Tensor], arguments: dict[str, Any]) -> dict[str, Any]:
    """Return timm's size of images for a ViT whose position embeddings have another size than is stated."""
    model: Any = without_memory(arguments["model_name"])
    own = getattr(model, "pos_embed", None)
    given_size = {"img_size", "patch_size"} & (arguments.get("model_args") or {}).keys()
    if not isinstance(own, Tensor) or own.ndim != 3 or given_size:
        return {}
    naming, prefix = naming_of(set(tensors)), recognise(tensors, model).prefix
    given = next((t for name, t in tensors.items() if naming.renamed(name) == f"{prefix}pos_embed"), own)
    grid, patch = model.patch_embed.grid_size, model.patch_embed.patch_size[0]
    patches = given.shape[1] - (own.shape[1] - grid[0] * grid[1]) if given.ndim == 3 else 0
    side = isqrt(max(0, patches)) * patch
    stated = (arguments.get("input") or {}).get("size", grid[0] * patch)
    return {} if side**2 != patches * patch**2 or side in (0, stated) else {"img_size": side}
