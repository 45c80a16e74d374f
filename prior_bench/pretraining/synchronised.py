"""Batch statistics over all processes, in models whose layers normalise and activate at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from torch import nn


def synchronised(model: nn.Module) -> nn.Module:
    """Let the batch normalisations of a model, which is changed, take statistics over all processes.

    timm's layers that normalise and activate (DenseNet, EfficientNet, ResNetV2) keep their activations, which
    torch's and mmengine's converters drop.
    """
    from timm.layers import convert_sync_batchnorm

    return convert_sync_batchnorm(model)


def synchronised_part(image_encoder: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the part of the machinery that weights depend on if statistics are synchronised, else nothing.

    Args:
        image_encoder: arguments of ImageEncoder. Models without layers that also activate were always right.

    Raises:
        BenchError: timm has no such model, or it does not take the arguments.
    """
    name, arguments = image_encoder.get("model_name"), image_encoder.get("model_args") or {}
    return ("synchronised_statistics",) if _activates(str(name), json.dumps(arguments)) else ()


@cache
def _activates(name: str, arguments: str) -> bool:
    """Return whether a model of timm has layers that normalise and activate."""
    import torch
    from timm.layers import BatchNormAct2d

    from prior_bench.encoders.image import ImageEncoder

    with torch.device("meta"):
        encoder = ImageEncoder(name, model_args=json.loads(arguments))
    return any(isinstance(layer, BatchNormAct2d) for layer in encoder.modules())
