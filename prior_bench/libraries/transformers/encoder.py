"""A vision model of transformers as an image encoder."""

from __future__ import annotations

import inspect
from math import isqrt
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.encoders.wrapped import captured
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import copy_model
from prior_bench.libraries.transformers.describe import FolderConfig, side_of
from prior_bench.libraries.vision import LibraryEncoder, Reading, grid_of


class TransformersEncoder(LibraryEncoder):
    """A vision model of transformers.

    Args:
        model: the vision model.
        found: description of its folder.
    """

    def __init__(self, model: nn.Module, found: FolderConfig):
        config, stages = found.vision, found.family.stages
        native = None if stages else side_of(getattr(config, "image_size", None))
        super().__init__(model, found.input, native, found.patch)
        self._folder = found.folder
        self.pool, self.kind = found.pool, config.model_type
        self._stages = _stage_names(model, stages)
        self._norm = _named_like(model, found.family.norm)
        self._resizes = "interpolate_pos_encoding" in inspect.signature(model.forward).parameters
        self.measure()

    def read(self, images: Tensor) -> Reading:
        """Run the model on images [B, C, S, S]."""
        with captured(self.model, self._stages) as seen:
            output = self._run(images)
        last = output.last_hidden_state
        if last.ndim == 3:
            side = isqrt(last.shape[1]) if self._stages else images.shape[-1] // self.divisor
            last = grid_of(self._normalised(last), side, side)
        stages = tuple(_as_map(seen[name]) for name in self._stages) or (last,)
        return Reading(self._pooled(output, last), last, stages)

    def options_at(self, size: int) -> dict[str, Any]:
        """Return the options with which the model takes images of another size than its own."""
        return {"interpolate_pos_encoding": True} if self._resizes and size != self.native else {}

    @property
    def grad_cam_layer(self) -> nn.Module | None:
        """The layer whose output Grad-CAM reads: the last stage, if there are stages."""
        return self.model.get_submodule(self._stages[-1]) if self._stages else super().grad_cam_layer

    def save_to(self, target: Path) -> str:
        """Copy the folder of the model."""
        copy_model(self._folder, target)
        return "transformers  AutoModel.from_pretrained('{shown}'), AutoImageProcessor, AutoTokenizer"

    def _run(self, images: Tensor) -> Any:
        options = self.options_at(images.shape[-1])
        if self.kind == "vit_mae":  # it shuffles the patches by this noise, here into their own order
            count = (images.shape[-1] // self.divisor) ** 2
            options["noise"] = torch.arange(count, device=images.device).float().expand(len(images), -1)
        if self.kind == "siglip2_vision_model":
            return self.model(**patches_of(images, self.divisor))
        return self.model(pixel_values=images, **options)

    def _normalised(self, tokens: Tensor) -> Tensor:
        return self.model.get_submodule(self._norm)(tokens) if self._norm else tokens

    def _pooled(self, output: Any, last: Tensor) -> Tensor:
        if self.pool == "mean":
            return last.mean((2, 3))
        if self.pool == "cls":
            return self._normalised(output.last_hidden_state)[:, 0]
        pooled = getattr(output, "pooler_output", None)
        if pooled is None:
            what, fix = "gives no pooler_output", "choose another pooling: --pool cls or --pool mean"
            raise BenchError(what, where=type(self.model).__name__, fix=fix)
        return pooled.flatten(1)


def patches_of(images: Tensor, patch: int) -> dict[str, Tensor]:
    """Return images [B, C, S, S] as SigLIP 2 (NaFlex) takes them: flat patches, their mask and their grid."""
    count, channels, side = images.shape[0], images.shape[1], images.shape[-1] // patch
    cells = images.unflatten(3, (side, patch)).unflatten(2, (side, patch))  # [B, C, rows, p, columns, p]
    flat = cells.permute(0, 2, 4, 3, 5, 1).reshape(count, side * side, patch * patch * channels)
    grid = torch.full((count, 2), side, dtype=torch.int64, device=images.device)
    mask = torch.ones(count, side * side, dtype=torch.int64, device=images.device)
    return {"pixel_values": flat, "pixel_attention_mask": mask, "spatial_shapes": grid}


def _stage_names(model: nn.Module, ending: str) -> tuple[str, ...]:
    """Return the names of the modules of all stages; ``.-1`` at the end stands for the last child."""
    if not ending:
        return ()
    names: list[str] = []
    wanted = ending.removesuffix(".-1")
    while found := _named_like(model, wanted.format(len(names))):
        if ending.endswith(".-1"):
            found = f"{found}.{len(list(model.get_submodule(found).children())) - 1}"
        names.append(found)
    return tuple(names)


def _named_like(model: nn.Module, ending: str) -> str:
    """Return the name of the module that ends like this; empty if there is none."""
    names = (name for name, _ in model.named_modules())
    return next((name for name in names if ending and f".{name}".endswith(f".{ending}")), "")


def _as_map(output: Any) -> Tensor:
    """Return the map [B, C, H, W] in a stage's output, which may be tokens of a square grid."""
    values = output[0] if isinstance(output, tuple | list) else output
    return grid_of(values, isqrt(values.shape[1]), isqrt(values.shape[1])) if values.ndim == 3 else values
