"""Wrap a plain torch module (of torchvision, transformers or a user) as an image encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from math import isqrt
from typing import Any

from torch import Tensor, nn

from prior_bench.api import Features, InputSpec
from prior_bench.encoders.probe import attempt, blank_images, evaluated
from prior_bench.errors import BenchError, unknown_name

POOLS = ("first", "mean")

MAX_PREFIX = 8
"""Largest number of class and register tokens before the patches of a ViT."""


def wrap(
    module: nn.Module,
    *,
    input: InputSpec | Mapping[str, Any],
    dim: int | None = None,
    output: str | None = None,
    stages: Iterable[str] = (),
    pool: str | None = None,
) -> WrappedEncoder:
    """Wrap a plain torch module as an image encoder that every image task can use.

    The features are the module's output: a tensor [B, D], the mean over the positions of a map [B, C, H, W],
    or tokens [B, N, C] pooled by ``pool``. For models of ``transformers``, the output is the
    ``last_hidden_state``. The sizes are found by a run on one blank image.

    Args:
        module: e.g. ``torchvision.models.resnet18()``. It is not copied.
        input: the input that the module expects, an InputSpec or its fields. There is no default, because
            wrong statistics give wrong results without an error.
        dim: expected number of channels D, which is then checked.
        output: name of the sub-module (as in ``module.named_modules()``) whose output is used instead of the
            module's own, e.g. ``"avgpool"``, which precedes the classifier of a ResNet.
        stages: names of the sub-modules that give feature maps, finest map first, e.g. ``["layer1", "layer2",
            "layer3", "layer4"]``; their outputs are maps, or tokens on a square grid. Segmentation and
            detection need them; the other tasks do not.
        pool: pooling of tokens: ``"first"`` (the class token) or ``"mean"`` (of the patches); by default
            ``"first"`` if a token precedes the patches.

    Raises:
        BenchError: a sub-module does not exist, the module fails on its input, or an output has another
            shape.

    Example:
        >>> import prior_bench as pb
        >>> from torchvision.models import resnet18
        >>> layers = ["layer1", "layer2", "layer3", "layer4"]
        >>> encoder = pb.wrap(resnet18(), input=dict(size=224), output="avgpool", stages=layers)
        >>> encoder.dim, encoder.stage_strides
        (512, (4, 8, 16, 32))
    """
    return WrappedEncoder(module, input_spec(input), dim, output, tuple(stages), pool)


class WrappedEncoder(nn.Module):
    """A module that fulfils the contract of image encoders; made by :func:`wrap`.

    Attributes:
        module: the wrapped module.
        dim, local_dim, input, stage_channels, stage_strides: see
            :class:`prior_bench.api.encoders.MapEncoderLike`; ``local_dim`` is None without local features;
            ``stage_channels`` and ``stage_strides`` are None without named stages.
    """

    def __init__(
        self,
        module: nn.Module,
        input: InputSpec,
        dim: int | None = None,
        output: str | None = None,
        stages: tuple[str, ...] = (),
        pool: str | None = None,
    ):
        super().__init__()
        if not isinstance(module, nn.Module):
            raise BenchError(f"is a {type(module).__name__}, not a torch.nn.Module", where="wrap")
        if pool not in (None, *POOLS):
            raise unknown_name("pool", pool, list(POOLS), where="wrap")
        known = [name for name, _ in module.named_modules() if name]
        for name in (*([output] if output else []), *stages):
            if name not in known:
                raise unknown_name("sub-module", name, known, where=type(module).__name__)
        self.module, self.input = module, input
        self.output, self.stages, self.pool = output, tuple(stages), pool
        self.stage_channels: tuple[int, ...] | None = None
        self.stage_strides: tuple[int, ...] | None = None
        self._measure(dim)

    def forward(self, images: Tensor) -> Features:
        """Encode images [B, C, S, S] as global features [B, dim] and, from maps or tokens, local features."""
        names = (self.output,) if self.output else ()
        with captured(self.module, names) as found:
            result = self.module(images)
        values = _tensor(found[self.output] if self.output else result, self.output or "the module")
        if values.ndim == 2:
            return Features(values)
        if values.ndim == 3:
            prefix, local = _split_tokens(values)
            first = self.pool == "first" or (self.pool is None and prefix.shape[1] > 0)
            return Features(values[:, 0] if first else local.mean(1), local)
        if values.ndim == 4:
            local = _channels_first(values).flatten(2).transpose(1, 2)
            return Features(local.mean(1), local)
        what = f"{self.output or 'the module'} gives a tensor {list(values.shape)}"
        raise BenchError(what, where="wrap", fix="name a sub-module that gives features: output=…")

    @property
    def grad_cam_layer(self) -> nn.Module | None:
        """The layer whose output Grad-CAM reads: the last named stage; None without stages."""
        return self.module.get_submodule(self.stages[-1]) if self.stages else None

    def feature_maps(self, images: Tensor, stages: tuple[int, ...]) -> list[Tensor]:
        """Return the maps [B, C, H, W] of the given stages (indices into ``stages``)."""
        names = [self.stages[stage] for stage in stages]
        with captured(self.module, tuple(dict.fromkeys(names))) as found:
            self.module(images)
        return [as_map(_tensor(found[name], name), name) for name in names]

    def extra_repr(self) -> str:
        """Return the arguments of :func:`wrap` for ``repr``."""
        return f"input={self.input}, output={self.output!r}, stages={self.stages}, pool={self.pool!r}"

    def _measure(self, dim: int | None) -> None:
        images, where = blank_images(self, self.input), type(self.module).__name__
        failing = f"fails on an image {list(images.shape)}"
        with evaluated(self):
            features = attempt(lambda: self(images), where, failing)
            maps = attempt(lambda: self.feature_maps(images, tuple(range(len(self.stages)))), where, failing)
        self.dim = features.global_.shape[1]
        self.local_dim = None if features.local is None else features.local.shape[2]
        if dim is not None and dim != self.dim:
            what = f"gives features of {self.dim} channels, but dim is {dim}"
            raise BenchError(what, where=where, fix="leave dim out, or name the right output=…")
        if not maps:
            return
        self.stage_channels = tuple(values.shape[1] for values in maps)
        self.stage_strides = tuple(round(self.input.size / values.shape[-1]) for values in maps)
        if list(self.stage_strides) != sorted(self.stage_strides):
            what = f"the stages have strides {self.stage_strides}"
            raise BenchError(what, where=where, fix="name them from the finest map to the coarsest")


def input_spec(given: InputSpec | Mapping[str, Any]) -> InputSpec:
    """Return an InputSpec from its fields.

    Raises:
        BenchError: a field is unknown.
    """
    if isinstance(given, InputSpec):
        return given
    known = [field.name for field in fields(InputSpec)]
    for name in given:
        if name not in known:
            raise unknown_name("field", name, known, where="input")
    return InputSpec(**given)


@contextmanager
def captured(module: nn.Module, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """Capture the outputs of named sub-modules when ``module`` is called within the block.

    Hooks exist only within the block, so that a copy of the module never writes to those of the original.

    Raises:
        BenchError: a sub-module was not called.
    """
    found: dict[str, Any] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: found.update({name: output})

    handles = [module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
    for name in names:
        if name not in found:
            raise BenchError(f"sub-module '{name}' is not used in forward", where=type(module).__name__)


def _tensor(output: Any, name: str) -> Tensor:
    """Return the tensor of features in the output of a module."""
    if isinstance(output, Features):
        return output.global_
    output = getattr(output, "last_hidden_state", output)
    if isinstance(output, (tuple, list)) and output:
        output = output[0]
    if not isinstance(output, Tensor):
        fix = "name a sub-module that gives a tensor: output=…"
        raise BenchError(f"{name} gives a {type(output).__name__}", where="wrap", fix=fix)
    return output


def as_map(values: Tensor, name: str) -> Tensor:
    """Return a map [B, C, H, W] from a map or from tokens on a square grid."""
    if values.ndim == 3:
        _, local = _split_tokens(values)
        side = isqrt(local.shape[1])
        return local.transpose(1, 2).unflatten(2, (side, side))
    if values.ndim != 4:
        what = f"{name} gives a tensor {list(values.shape)}"
        raise BenchError(what, where="stages", fix="a stage gives a map [B, C, H, W] or tokens [B, N, C]")
    return _channels_first(values)


def _split_tokens(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Split tokens [B, N, C] into prefix tokens and the patches of a square grid."""
    count = tokens.shape[1]
    before = count - isqrt(count) ** 2
    if before > MAX_PREFIX:
        what = f"{count} tokens do not form a square grid after at most {MAX_PREFIX} class or register tokens"
        raise BenchError(what, where="wrap", fix="name a sub-module with other tokens: output=…")
    return tokens[:, :before], tokens[:, before:]


def _channels_first(values: Tensor) -> Tensor:
    """Return a square map as [B, C, H, W], also if the module's channels are last."""
    if values.shape[2] != values.shape[3] and values.shape[1] == values.shape[2]:
        return values.permute(0, 3, 1, 2)
    return values
