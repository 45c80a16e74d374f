"""Common parts of the layouts: arguments of image encoders, and pairs of names of other libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MODEL = "image_encoder.model."
"""Beginning of the names of the image encoder's tensors in our method."""
IMAGENET: dict[str, Any] = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
"""Statistics of ImageNet's colours, as fields of InputSpec."""
MIMIC_CXR = ("mimic_cxr", "pre-trained on MIMIC-CXR, by its authors' code")
"""Entry of ``exposure``."""

FIELDS = ("mean", "std", "interpolation", "resize_to", "rounding")
"""Fields of InputSpec that a layout may state besides size, channels and resize."""
Pairs = tuple[tuple[str, str], ...]
DENSENET121 = (6, 12, 24, 16)
"""Number of layers in each dense block."""


def image_encoder(
    model_name: str, size: int = 224, resize: str = "squash", grey: bool = False, **further: Any
) -> dict[str, Any]:
    """Return the arguments of ImageEncoder for a layout.

    Args:
        model_name: timm's name.
        size, resize: fields of InputSpec.
        grey: whether images have one channel instead of three.
        further: other fields of InputSpec (``mean`` and ``std``, if they are known); all others are arguments
            of timm's model.
    """
    channels = 1 if grey else 3
    stated = {name: further.pop(name) for name in FIELDS if name in further}
    arguments: dict[str, Any] = {
        "model_name": model_name,
        "in_channels": channels,
        "input": {"size": size, "channels": channels, "resize": resize, **stated},
    }
    if further:
        arguments["model_args"] = further
    return arguments


def all_but(*beginnings: str, reason: str) -> tuple[str, str]:
    """Return an entry of ``unused`` for all names that do not begin with these regular expressions."""
    return rf"(?!{'|'.join(beginnings)})", reason


def sequential_resnet(beginning: str, stages: int = 4) -> Pairs:
    """Return the pairs for a ResNet as ``nn.Sequential`` of its children: 0 conv1, 1 bn1, 4 to 7 layers."""
    names = {0: "conv1.", 1: "bn1.", **{3 + i: f"layer{i}." for i in range(1, stages + 1)}}
    return tuple((f"{beginning}{number}.", MODEL + name) for number, name in names.items())


def old_densenet121(beginning: str) -> Pairs:
    """Return the pairs for torchvision's DenseNet-121 before version 0.3, whose layers have ``norm.1``."""
    pairs = []
    for layer in _dense_layers():
        for part in ("norm1", "conv1", "norm2", "conv2"):
            pairs.append(
                (f"{beginning}features.{layer}.{part[:-1]}.{part[-1]}.", f"{MODEL}features.{layer}.{part}.")
            )
    return (*pairs, (f"{beginning}features.", f"{MODEL}features."))


def counters_of_densenet121(reason: str) -> tuple[tuple[str, float, str], ...]:
    """Return the entries of ``supplied`` for the batch counters, which evaluation does not read."""
    norms = ["norm0", "norm5", *(f"transition{i}.norm" for i in (1, 2, 3))]
    norms += [f"{layer}.{norm}" for layer in _dense_layers() for norm in ("norm1", "norm2")]
    return tuple((f"{MODEL}features.{norm}.num_batches_tracked", 0.0, reason) for norm in norms)


def _dense_layers() -> list[str]:
    blocks = enumerate(DENSENET121, start=1)
    return [f"denseblock{block}.denselayer{i}" for block, count in blocks for i in range(1, count + 1)]


def old_swin(beginning: str = "") -> Pairs:
    """Return the pairs for timm's Swin before version 0.9: a stage ends, not begins, with its reduction."""
    moved = tuple(
        (f"{beginning}layers.{i}.downsample.", f"{MODEL}layers.{i + 1}.downsample.") for i in range(3)
    )
    return (*moved, (beginning, MODEL))


def transformers_swin(beginning: str, depths: Sequence[int] = (2, 2, 6, 2)) -> Pairs:
    """Return the pairs for a SwinModel of transformers, with queries, keys and values already joined."""
    parts = {
        "layernorm_before.": "norm1.",
        "layernorm_after.": "norm2.",
        "attention.self.qkv.": "attn.qkv.",
        "attention.self.relative_position_bias_table": "attn.relative_position_bias_table",
        "attention.output.dense.": "attn.proj.",
        "intermediate.dense.": "mlp.fc1.",
        "output.dense.": "mlp.fc2.",
    }
    pairs = [
        ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
        ("embeddings.norm.", "patch_embed.norm."),
        ("layernorm.", "norm."),
    ]
    for stage, depth in enumerate(depths):
        pairs.append((f"encoder.layers.{stage}.downsample.", f"layers.{stage + 1}.downsample."))
        for block in range(depth):
            theirs, ours = f"encoder.layers.{stage}.blocks.{block}.", f"layers.{stage}.blocks.{block}."
            pairs += [(theirs + their, ours + our) for their, our in parts.items()]
    return tuple((beginning + theirs, MODEL + ours) for theirs, ours in pairs)


SWIN_CONSTANTS = (
    r".*(attn_mask|relative_position_index)$",
    "a constant of the windows' geometry, which today's libraries do not store",
)
"""Entry of ``unused`` for files with a Swin."""
