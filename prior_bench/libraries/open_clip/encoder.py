"""The vision towers of open_clip as image encoders, and its whole models as methods."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from prior_bench.api import TextBatch
from prior_bench.encoders import grad_cam_layer
from prior_bench.encoders.wrapped import captured
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import copy_model
from prior_bench.libraries.open_clip.describe import CONFIG, RESIZES, OpenClipConfig
from prior_bench.libraries.open_clip.load import weights_file
from prior_bench.libraries.texts import LibraryTokenizer
from prior_bench.libraries.towers import TwoTowers
from prior_bench.libraries.vision import LibraryEncoder, Reading, grid_of

RESNET_STAGES = ("layer1", "layer2", "layer3", "layer4")


class OpenClipEncoder(LibraryEncoder):
    """The vision tower of a model of open_clip: a ViT, a model of timm, or CLIP's ResNet.

    The global feature is the one that the projection reads; of CLIP's ResNet, whose attention pool is the
    projection, it is the pool's output.

    Args:
        visual: the tower.
        found: description of its model.
    """

    def __init__(self, visual: nn.Module, found: OpenClipConfig):
        from open_clip.timm_model import TimmModel
        from open_clip.transformer import VisionTransformer

        is_vit, is_timm = isinstance(visual, VisionTransformer), isinstance(visual, TimmModel)
        kind = "vit" if is_vit else "timm" if is_timm else "resnet"
        native = _side(getattr(visual, "image_size", found.input.size))
        super().__init__(visual, found.input, native, _patch(visual, kind))
        self.kind, self._found = kind, found
        if kind == "timm":
            _take_any_size(self.model.trunk)
        self.measure()

    def read(self, images: Tensor) -> Reading:
        """Run the tower on images [B, C, S, S]."""
        if self.kind == "vit":
            return self._read_vit(images)
        if self.kind == "timm":
            return self._read_timm(images)
        if images.shape[-1] != self.native:
            what = f"takes images of {self.native} pixels only, and the input has {images.shape[-1]}"
            fix = f"build it at this size: --input size={images.shape[-1]}"
            raise BenchError(what, where=type(self.model).__name__, fix=fix)
        with captured(self.model, RESNET_STAGES) as seen:
            pooled = self.model(images)
        return Reading(pooled, seen["layer4"], tuple(seen[name] for name in RESNET_STAGES))

    @property
    def grad_cam_layer(self) -> nn.Module | None:
        """The layer whose output Grad-CAM reads; None if the model has none."""
        if self.kind == "timm":
            return grad_cam_layer.of_timm(self.model.trunk)
        return super().grad_cam_layer if self.kind == "vit" else self.model.layer4

    def save_to(self, target: Path) -> str:
        """Copy the folder of the model, or the weights that it was built with, with their config."""
        line = "open_clip     open_clip.create_model_and_transforms('local-dir:{shown}')"
        if self._found.place is not None:
            copy_model(self._found.place.folder, target)
            return line
        target.mkdir(parents=True)
        spec, ways = self.input, {ours: theirs for theirs, ours in RESIZES.items()}
        ways["pad_first"] = ways["pad"]
        preparation = {
            "mean": spec.means,
            "std": spec.stds,
            "interpolation": spec.library_interpolation,
            "resize_mode": ways[spec.resize],
        }
        stored = {"model_cfg": self._found.config, "preprocess_cfg": preparation}
        (target / CONFIG).write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")
        shutil.copyfile(weights_file(self._found), target / "open_clip_pytorch_model.bin")
        return line

    def project(self, pooled: Tensor) -> Tensor:
        """Map global features [B, D] to the joint space."""
        if self.kind == "vit":
            return pooled if self.model.proj is None else pooled @ self.model.proj
        return self.model.head(pooled) if self.kind == "timm" else pooled

    def _read_vit(self, images: Tensor) -> Reading:
        tower, side = self.model, images.shape[-1] // self.divisor
        patches = tower.conv1(images).flatten(2).transpose(1, 2)
        first = tower.class_embedding.expand(len(images), 1, -1)
        tokens = torch.cat([first, patches], dim=1) + self._positions(side)
        tokens = tower.transformer(tower.ln_pre(tower.patch_dropout(tokens)))
        pooled, _ = tower._pool(tokens)
        last = grid_of(tower.ln_post(tokens), side, side)
        return Reading(pooled, last, (last,))

    def _positions(self, side: int) -> Tensor:
        """Return the position embeddings [1 + side * side, D], resampled as open_clip does when it loads."""
        stored = self.model.positional_embedding
        own = round((len(stored) - 1) ** 0.5)
        if own == side:
            return stored
        grid = stored[1:].unflatten(0, (own, own)).permute(2, 0, 1)[None]
        grid = functional.interpolate(grid, (side, side), mode="bicubic", antialias=True, align_corners=False)
        return torch.cat([stored[:1], grid[0].permute(1, 2, 0).flatten(0, 1)])

    def _read_timm(self, images: Tensor) -> Reading:
        trunk = self.model.trunk
        infos = getattr(trunk.feature_info, "info", trunk.feature_info)
        if len({info["reduction"] for info in infos}) > 1:
            final, maps = trunk.forward_intermediates(images)
            stages = tuple(maps)
        else:
            final, stages = trunk.forward_intermediates(images, indices=1, norm=True)
        return Reading(trunk.forward_head(final), stages[-1], tuple(stages))


class OpenClipTowers(TwoTowers):
    """A whole model of open_clip.

    Args:
        model: the model.
        found: its description.
        tokenizer: from :func:`prior_bench.libraries.open_clip.load.load_tokenizer`.
    """

    def __init__(self, model: Any, found: OpenClipConfig, tokenizer: LibraryTokenizer):
        super().__init__(model, OpenClipEncoder(model.visual, found), tokenizer)
        self.has_bias = getattr(model, "logit_bias", None) is not None

    def image_vectors(self, images: Tensor) -> Tensor:
        """Return the vectors [B, D] of ``encode_image``, at any size that the tower takes."""
        return self.image_encoder.project(self.image_encoder(images).global_)

    def text_vectors(self, text: TextBatch) -> Tensor:
        """Return the vectors [T, D] of ``encode_text``."""
        return self.model.encode_text(text.input_ids)

    def scale_and_bias(self) -> tuple[Tensor | float, Tensor | float]:
        """Return the exponential of ``logit_scale``, and ``logit_bias`` if there is one."""
        return torch.exp(self.model.logit_scale), self.model.logit_bias if self.has_bias else 0.0


def _side(value: Any) -> int:
    return value[0] if isinstance(value, list | tuple) else value


def _patch(visual: Any, kind: str) -> int:
    if kind == "vit":
        return _side(visual.patch_size)
    patches = getattr(visual.trunk, "patch_embed", None) if kind == "timm" else None
    return _side(getattr(patches, "patch_size", 1)) if patches is not None else 1


def _take_any_size(trunk: Any) -> None:
    """Let a ViT of timm resample its position embeddings at any size, as its argument of this name does."""
    from timm.layers import Format
    from timm.models.vision_transformer import VisionTransformer

    if type(trunk) is VisionTransformer and not trunk.dynamic_img_size:
        for part, name, value in (
            (trunk, "dynamic_img_size", True),
            (trunk.patch_embed, "strict_img_size", False),
            (trunk.patch_embed, "flatten", False),
            (trunk.patch_embed, "output_fmt", Format.NHWC),
        ):
            setattr(part, name, value)
