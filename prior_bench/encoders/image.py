"""The image encoder: any timm model, with pooled, local and per-stage features."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from functools import cache
from typing import Any

import timm
import torch
from torch import Tensor, nn

from prior_bench.api import Features, InputSpec
from prior_bench.encoders import grad_cam_layer
from prior_bench.encoders.attention import AttentionPool2d
from prior_bench.encoders.hub import quiet, require_hub
from prior_bench.errors import BenchError, unknown_name

POOLS = ("avg", "attention", "first")


class ImageEncoder(nn.Module):
    """A timm model without its classifier. Its parameters keep timm's names under ``model.``.

    Args:
        model_name: name in ``timm.list_models()``, e.g. ``"resnet50"``, ``"vit_base_patch16_224"``.
        in_channels: number of input channels, 1 or 3.
        pretrained: whether to load timm's weights from the hub. (In a pre-training config, it may also be a
            weights file, which :func:`prior_bench.pretraining.model.build_method` loads.)
        pool: ``"avg"``, the model's own pooling (mean of the last map; the class token of a ViT),
            ``"attention"`` (:class:`AttentionPool2d` over the last map), or ``"first"``, the upper left
            position of the last map after the model's norm, as CXR-CLIP's Swin has it.
        local_stage: index of the stage that gives the local features.
        model_args: further arguments of ``timm.create_model``, e.g. ``dict(channels=(32, 64, 128, 256))``
            for a ResNet-18 of half the width.
        input: an :class:`InputSpec` or its fields. Missing fields are those of the pre-trained weights
            (their statistics averaged over the colours for a greyscale encoder), or InputSpec's defaults. A
            transformer whose position embeddings have one size has this size by default.

    Attributes:
        dim: number of channels of the global feature.
        local_dim: number of channels of the local features.
        input: the input that the encoder expects.
        stage_channels, stage_strides: number of channels and input pixels per pixel of each stage's map,
            finest stage first. A plain ViT has one map, which counts as four equal stages.

    Raises:
        BenchError: the model or an argument is unknown, or the weights cannot be obtained.
    """

    def __init__(
        self,
        model_name: str = "resnet50",
        in_channels: int = 3,
        pretrained: bool = False,
        pool: str = "avg",
        local_stage: int = -1,
        model_args: dict[str, Any] | None = None,
        input: dict[str, Any] | InputSpec | None = None,
    ):
        super().__init__()
        known = known_model(model_name)
        if in_channels not in (1, 3):
            raise BenchError(
                f"in_channels is {in_channels}; must be 1 or 3", where="image_encoder.in_channels"
            )
        if not isinstance(pretrained, bool):
            raise BenchError(
                f"pretrained is {pretrained!r}; must be True or False",
                where="image_encoder.pretrained",
                fix="load a file with prior_bench.checkpoints.recognise.load_image_weights(encoder, path)",
            )
        if pool not in POOLS:
            raise unknown_name("pool", pool, list(POOLS), where="image_encoder.pool")
        self.input = _input_spec(known, pretrained, in_channels, input)
        self._arguments = dict(
            model_name=model_name,
            in_channels=in_channels,
            pool=pool,
            local_stage=local_stage,
            model_args=dict(model_args or {}),
        )
        arguments = dict(model_args or {})
        if known.fixed_input_size:  # position embeddings have one size; at another one, timm resamples them
            arguments.setdefault("img_size", self.input.size)
            arguments.setdefault("dynamic_img_size", _takes_any_size(model_name))
            if not arguments["dynamic_img_size"]:
                del arguments["dynamic_img_size"]
        self.model: Any = _create(model_name, in_channels, pretrained, arguments)

        infos = getattr(self.model.feature_info, "info", self.model.feature_info)
        self.is_hierarchical = len({info["reduction"] for info in infos}) > 1
        infos = list(infos) if self.is_hierarchical else [infos[-1]] * 4
        self.stage_channels: tuple[int, ...] = tuple(info["num_chs"] for info in infos)
        # Convolutions are 25 % faster in this layout. But on a CPU with several threads, torch 2.14 crashes
        # in the backward pass of convolutions with fewer than 16 channels.
        fast = self.is_hierarchical and min(self.stage_channels) >= 16
        self._layout = torch.channels_last if fast else torch.contiguous_format
        self.model.to(memory_format=self._layout)
        self.stage_strides: tuple[int, ...] = tuple(info["reduction"] for info in infos)
        if not -len(infos) <= local_stage < len(infos):
            raise BenchError(
                f"local_stage is {local_stage}, but {model_name} has {len(infos)} stages",
                where="image_encoder.local_stage",
            )
        self.local_stage = local_stage % len(infos)
        self.local_dim = self.stage_channels[self.local_stage]
        self.dim: int = self.stage_channels[-1] if pool == "attention" else self.model.head_hidden_size
        self.attention_pool = self._attention_pool() if pool == "attention" else None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that rebuild this encoder without its weights and without any download."""
        return {**self._arguments, "input": self.input.to_dict()}

    @property
    def grad_cam_layer(self) -> nn.Module | None:
        """The layer whose output Grad-CAM reads; None if the model has none."""
        return grad_cam_layer.of_timm(self.model)

    def forward(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as global [B, dim] and local features [B, H*W, local_dim].

        The local features are the positions of the chosen stage in row-major order.
        """
        last = len(self.stage_channels) - 1
        final, maps = self._run(images, sorted({self.local_stage, last}))
        if self.attention_pool is not None:
            pooled = self.attention_pool(maps[last])
        elif self._arguments["pool"] == "first":
            pooled = self._first(final)
        else:
            pooled = self.model.forward_head(final, pre_logits=True)
        return Features(pooled, maps[self.local_stage].flatten(2).transpose(1, 2), None)

    def feature_maps(self, images: Tensor, stages: tuple[int, ...]) -> list[Tensor]:
        """Return maps [B, C, H, W] of the given stages (indices into ``stage_channels``; -1 is the last)."""
        wanted = [stage % len(self.stage_channels) for stage in stages]
        _, maps = self._run(images, sorted(set(wanted)))
        return [maps[stage] for stage in wanted]

    def _run(self, images: Tensor, stages: list[int]) -> tuple[Tensor, dict[int, Tensor]]:
        self.require_size(images.shape[-1])
        if not self.is_hierarchical:
            final, (grid,) = self.model.forward_intermediates(images, indices=1, norm=True)
            return final, dict.fromkeys(range(len(self.stage_channels)), grid)
        images = images.contiguous(memory_format=self._layout)
        final, maps = self.model.forward_intermediates(images, indices=stages)
        return final, dict(zip(stages, maps, strict=True))

    def _first(self, final: Tensor) -> Tensor:
        """Return the first position of the final map ([B, H, W, D], [B, D, H, W]) or of a ViT's patches."""
        if final.ndim == 3:
            return final[:, self.model.num_prefix_tokens]
        channels_last = final.shape[-1] == self.dim and final.shape[1] != self.dim
        return final[:, 0, 0] if channels_last else final[:, :, 0, 0]

    def require_size(self, size: int) -> None:
        """Raise BenchError if a transformer cannot divide an image of this size into its patches."""
        patches = getattr(self.model, "patch_embed", None)
        side = getattr(patches, "patch_size", (1,))[0]
        fixed = getattr(patches, "img_size", None) if getattr(patches, "strict_img_size", False) else None
        name = self._arguments["model_name"]
        if fixed is not None and size != fixed[0]:
            what = f"takes images of {fixed[0]} pixels only, and the input has {size}"
            fix = f"set the input's size to {fixed[0]} (eval: --input size={fixed[0]})"
        elif size % side:
            lower = size - size % side
            what = f"an input of {size} pixels cannot be divided into patches of {side}"
            fix = f"set the input's size to {lower} or {lower + side} (eval: --input size={lower + side})"
        else:
            return
        raise BenchError(what, where=name, fix=fix)

    def _attention_pool(self) -> AttentionPool2d:
        training, size = self.model.training, self.input.size
        with torch.no_grad():  # only a run shows the grid, because models round differently
            grid = self.eval()._run(
                torch.zeros(1, self.input.channels, size, size), [len(self.stage_channels) - 1]
            )[1]
        self.train(training)
        height, width = grid[len(self.stage_channels) - 1].shape[-2:]
        return AttentionPool2d((height, width), self.dim)


def known_model(model_name: str) -> Any:
    """Return timm's description of a model and its weights.

    Raises:
        BenchError: timm has no such model.
    """
    if not timm.is_model(model_name):
        near = difflib.get_close_matches(model_name, timm.list_models(), n=3)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise BenchError(
            f"timm has no model '{model_name}'",
            where="image_encoder.model_name",
            fix=f"{hint}all names: python -c \"import timm; print(*timm.list_models(), sep='\\n')\"",
        )
    return timm.get_pretrained_cfg(model_name)


def input_of(weights: Any, channels: int) -> dict[str, Any]:
    """Return the fields of InputSpec that timm states for weights (see :func:`known_model`)."""
    mean, std = tuple(weights.mean), tuple(weights.std)
    if channels == 1:  # timm sums the first layer's filters over the colours
        mean, std = sum(mean) / len(mean), sum(std) / len(std)
    return {"size": weights.input_size[-1], "mean": mean, "std": std}


def _input_spec(
    known: Any, pretrained: bool, channels: int, given: dict[str, Any] | InputSpec | None
) -> InputSpec:
    if isinstance(given, InputSpec):
        given = asdict(given)
    values = {"channels": channels}
    if pretrained:
        values |= input_of(known, channels)
    elif known.fixed_input_size:
        values |= {"size": known.input_size[-1]}
    try:
        spec = InputSpec(**{**values, **(given or {})})
    except TypeError as error:
        raise BenchError(
            str(error).replace("InputSpec.__init__() ", ""),
            where="image_encoder.input",
            fix="fields: size, channels, mean, std, resize",
        ) from None
    if spec.channels != channels:
        raise BenchError(
            f"input.channels is {spec.channels} but in_channels is {channels}", where="image_encoder"
        )
    return spec


@cache
def _takes_any_size(model_name: str) -> bool:
    """Whether timm resamples the position embeddings of a model at any size."""
    with torch.device("meta"):
        try:
            timm.create_model(model_name, num_classes=0, dynamic_img_size=True)
        except TypeError:
            return False
    return True


def native_size(model_name: str) -> int | None:
    """Return the input size of a model whose position embeddings have one size; None for all others."""
    known = known_model(model_name)
    return known.input_size[-1] if known.fixed_input_size else None


def require_obtainable(name: str) -> None:
    """Check that timm's weights of a model are in the cache, or that the hub can be reached.

    Raises:
        NotThereError: neither is the case.
    """
    if not _is_cached(name):
        require_hub(f"the weights of '{name}'", where="image_encoder.pretrained", fix=_how_to_get(name))


def _how_to_get(name: str) -> str:
    return (
        f"on a machine with network: python -c \"import timm, torch; torch.save(timm.create_model('{name}', "
        f"pretrained=True).state_dict(), '{name}.pth')\"; copy the file here and set "
        f"image_encoder.pretrained='{name}.pth'"
    )


def _create(name: str, channels: int, pretrained: bool, arguments: dict[str, Any]) -> Any:
    try:
        if not pretrained:
            return timm.create_model(name, in_chans=channels, num_classes=0, **arguments)
        require_obtainable(name)
        with quiet("timm", "huggingface_hub"):
            return timm.create_model(name, pretrained=True, in_chans=channels, num_classes=0, **arguments)
    except TypeError as error:
        raise BenchError(
            f"{name} does not take these arguments: {error}", where="image_encoder.model_args"
        ) from error
    except (OSError, RuntimeError) as error:
        if not pretrained:
            raise
        raise BenchError(
            f"the weights of '{name}' cannot be obtained: {error}",
            where="image_encoder.pretrained",
            fix=_how_to_get(name),
        ) from error


def _is_cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    repository = getattr(timm.get_pretrained_cfg(name), "hf_hub_id", None)
    files = ("model.safetensors", "pytorch_model.bin")
    if not repository:
        return False
    return any(isinstance(try_to_load_from_cache(repository, f), str) for f in files)
