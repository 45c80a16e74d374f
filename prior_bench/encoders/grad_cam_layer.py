"""The layer of an image encoder that Grad-CAM reads."""

from __future__ import annotations

from typing import Any

from torch import nn

FIRST_NORMS = ("norm1", "ln_1", "layernorm_before", "layer_norm1")
"""Names that libraries give the first norm of a transformer's block."""


def of_timm(model: Any) -> nn.Module | None:
    """The last stage of a model of timm; of a plain ViT, see :func:`of_vit`."""
    infos = list(getattr(model.feature_info, "info", model.feature_info))
    if len({info["reduction"] for info in infos}) > 1:
        return model.get_submodule(infos[-1]["module"])
    return of_vit(model)


def of_vit(model: nn.Module) -> nn.Module | None:
    """The first norm of a plain ViT's last block; None if the model names none.

    After it, patches still reach the class token by the block's attention. After the block they do not, and
    the gradient of a score with respect to them would be 0.
    """
    found = [module for name, module in model.named_modules() if name.rpartition(".")[2] in FIRST_NORMS]
    return found[-1] if found else None
