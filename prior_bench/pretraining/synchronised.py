"""Batch statistics over all processes, in models whose layers normalise and activate at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
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
    """
    name, arguments = image_encoder.get("model_name"), image_encoder.get("model_args") or {}
    return ("synchronised_statistics",) if _activates(str(name), json.dumps(arguments)) else ()


@lru_cache(maxsize=32)
def _activates(name: str, arguments: str) -> bool:
    """Return whether a model of timm has layers that normalise and activate."""
    import timm
    import torch
    from timm.layers import BatchNormAct2d

    try:
        with torch.device("meta"):
            model = timm.create_model(name, num_classes=0, **json.loads(arguments))
    except Exception:  # whatever timm raises; building the encoder says what is wrong
        return False
    return any(isinstance(layer, BatchNormAct2d) for layer in model.modules())
