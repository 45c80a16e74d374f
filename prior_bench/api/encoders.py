"""Image encoders: what a module must declare to be usable in every task, and the check of its declarations.

Uses only the standard library; :func:`prior_bench.encoders.probe.probe` runs an encoder to check the
declared numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from typing import Protocol as Interface

from prior_bench.api.inputs import InputSpec
from prior_bench.api.models import Features
from prior_bench.errors import BenchError, ErrorList

if TYPE_CHECKING:
    from torch import Tensor


class ImageEncoderLike(Interface):
    """An ``nn.Module`` that turns images into features, as classification and throughput need it.

    Attributes:
        dim: D, the number of channels of the global feature.
        input: the input that the module expects.
        local_dim: number of channels of ``Features.local``; only for encoders with local features.
    """

    dim: int
    input: InputSpec

    def forward(self, images: Tensor) -> Features | Tensor:
        """Encode images [B, C, S, S] as Features, or as a tensor [B, D] of global features."""


class MapEncoderLike(ImageEncoderLike, Interface):
    """An image encoder that also gives feature maps, as segmentation and detection need it.

    Optional, for Grad-CAM: the property ``grad_cam_layer``, the sub-module whose output is the last map
    ([B, C, H, W], [B, H, W, C] or tokens [B, N, C]) on the way to the global feature; None if there is none.

    Attributes:
        stage_channels: number of channels of the map of each stage, finest stage first.
        stage_strides: input pixels per pixel of each map, finest stage first. A plain ViT has one map, which
            counts as several equal stages.
    """

    stage_channels: tuple[int, ...]
    stage_strides: tuple[int, ...]

    def feature_maps(self, images: Tensor, stages: tuple[int, ...]) -> list[Tensor]:
        """Return the maps [B, C, H, W] of the given stages (indices into ``stage_channels``)."""


WRAP = "prior_bench.wrap(module, input=dict(size=…, channels=…, mean=…, std=…))"

DECLARE = {
    "dim": "self.dim = the number of channels D of the feature [B, D]",
    "input": "self.input = prior_bench.InputSpec(size=…, channels=…, mean=…, std=…, resize=…)",
    "stage_channels": "self.stage_channels = channels of the map of each stage, finest first",
    "stage_strides": "self.stage_strides = input pixels per pixel of the map of each stage, finest first",
    "feature_maps": "def feature_maps(self, images, stages) -> list of maps [B, C, H, W]",
}
"""Code that declares each part of the contract, shown in messages."""


def require_encoder(encoder: Any, name: str) -> None:
    """Check the declarations of an image encoder.

    Raises:
        BenchError: declarations are missing or have a wrong type; the message lists all problems.
    """
    problems = _missing(encoder, ("dim", "input"))
    if not callable(encoder):
        problems.append(BenchError("cannot be called", fix="give an nn.Module with forward(images)"))
    dim, spec = getattr(encoder, "dim", 1), getattr(encoder, "input", None)
    if isinstance(dim, bool) or not isinstance(dim, int) or dim < 1:
        problems.append(BenchError(f"dim is {dim!r}", fix=DECLARE["dim"]))
    if spec is not None and not isinstance(spec, InputSpec):
        problems.append(BenchError(f"input is of type {type(spec).__name__}", fix=DECLARE["input"]))
    _raise(problems, encoder, name, "does not fulfil the contract of an image encoder", f"or wrap it: {WRAP}")


def require_maps(encoder: Any, name: str) -> None:
    """Check that an image encoder declares feature maps.

    Raises:
        BenchError: a declaration is missing or wrong; the message lists all problems.
    """
    problems = _missing(encoder, ("stage_channels", "stage_strides", "feature_maps"))
    if not problems:
        channels, strides = tuple(encoder.stage_channels), tuple(encoder.stage_strides)
        if not strides or len(channels) != len(strides) or list(strides) != sorted(strides):
            what = f"stage_channels is {channels} and stage_strides is {strides}"
            fix = "declare both for the same stages, finest stage (smallest stride) first"
            problems.append(BenchError(what, fix=fix))
    wrapped = WRAP.replace("))", "), stages=[names of its sub-modules, finest first])")
    what = "gives no feature maps, which segmentation and detection need"
    _raise(problems, encoder, name, what, f"or wrap it: {wrapped}")


def features_of(output: Features | Tensor) -> Features:
    """The output of an image encoder as Features; a tensor [B, D] is taken as the global feature."""
    return output if isinstance(output, Features) else Features(output)


def _missing(encoder: Any, attributes: tuple[str, ...]) -> list[BenchError]:
    return [
        BenchError(f"declares no {attribute}", fix=DECLARE[attribute])
        for attribute in attributes
        if getattr(encoder, attribute, None) is None
    ]


def _raise(problems: list[BenchError], encoder: Any, name: str, what: str, alternative: str) -> None:
    if problems:
        problems[-1] = BenchError(problems[-1].what, fix=f"{problems[-1].fix};\n  {alternative}")
        raise ErrorList(f"{type(encoder).__name__} {what}:", problems, where=f"backbone '{name}'")
