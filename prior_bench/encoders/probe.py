"""Check by a run that the outputs of a module have the declared shapes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from prior_bench.api import Features, InputSpec
from prior_bench.api.encoders import features_of
from prior_bench.errors import BenchError, ErrorList

TEXT = ("no acute finding",)
"""A text with one sentence."""


def blank_images(module: nn.Module, spec: InputSpec, count: int = 1) -> Tensor:
    """Return images of zeros [count, C, S, S] on the device of the module's weights."""
    weight = next(module.parameters(), torch.zeros(()))
    return torch.zeros(count, spec.channels, spec.size, spec.size, device=weight.device)


@contextmanager
def evaluated(module: nn.Module) -> Iterator[None]:
    """Put a module in evaluation mode, without gradients, within the block.

    Modes and random state are restored afterwards.
    """
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def probe(encoder: Any, name: str) -> None:
    """Run an image encoder on one blank image, and compare the shapes of its outputs with its declarations.

    Args:
        encoder: an :class:`prior_bench.api.encoders.ImageEncoderLike` or MapEncoderLike.
        name: name of the backbone, for messages.

    Raises:
        BenchError: the encoder fails on an image of its ``input``, or its features have another shape.
    """
    images, where = blank_images(encoder, encoder.input), f"backbone '{name}'"
    with evaluated(encoder):
        output = attempt(lambda: encoder(images), where, f"fails on an image {list(images.shape)}")
        problems = _output_problems(output, encoder.dim)
        if getattr(encoder, "stage_strides", None) is not None:
            stages = tuple(range(len(encoder.stage_strides)))
            maps = attempt(lambda: encoder.feature_maps(images, stages), where, "feature_maps fails")
            problems += _map_problems(encoder, maps)
    if problems:
        raise ErrorList("the features differ from the declarations:", problems, where=where)


def probe_method(method: Any, name: str) -> None:
    """Run a method on two blank images and one text, and check the shape of the similarity.

    Raises:
        BenchError: a step fails, or the similarity does not have the shape [images, texts].
    """
    where = f"backbone '{name}'"
    images = blank_images(method, method.image_encoder.input, 2)
    with evaluated(method):
        image = attempt(lambda: method.encode_image(images), where, "encode_image fails")
        tokens = attempt(lambda: method.text_encoder.tokenizer([TEXT]), where, "the tokenizer fails")
        text = attempt(lambda: method.encode_text(tokens.to(images.device)), where, "encode_text fails")
        for step, features in (("encode_image", image), ("encode_text", text)):
            if not isinstance(features, Features):
                what = f"{step} gives {_kind(features)}; must give prior_bench.Features"
                raise BenchError(what, where=where, fix="return Features(global_)")
        scores = attempt(lambda: method.similarity(image, text), where, "similarity fails")
    if not isinstance(scores, Tensor) or scores.shape != (2, 1):
        what = f"similarity of 2 images and 1 text gives {_kind(scores)}; must be a tensor [2, 1]"
        raise BenchError(what, where=where)


def attempt(action: Any, where: str, what: str) -> Any:
    """Return the result of ``action``; an exception of the user's code becomes a BenchError."""
    try:
        return action()
    except BenchError:
        raise
    except Exception as error:  # the module is the user's and may raise anything
        message = f"{what}: {type(error).__name__}: {error}"
        raise BenchError(message, where=where, fix="its input must fit its weights") from error


def _output_problems(output: Any, dim: int) -> list[BenchError]:
    if not isinstance(output, (Features, Tensor)):
        fix = "return a tensor [B, D] or prior_bench.Features, or use prior_bench.wrap"
        return [BenchError(f"forward gives {_kind(output)}", fix=fix)]
    features = features_of(output)
    problems = []
    if tuple(features.global_.shape) != (1, dim):
        what = f"one image gives features {list(features.global_.shape)}; dim = {dim} means [1, {dim}]"
        problems.append(BenchError(what, fix="correct dim, or use prior_bench.wrap"))
    if features.local is not None and features.local.ndim != 3:
        shape = list(features.local.shape)
        problems.append(BenchError(f"local features are {shape}; must be [B, N, D']"))
    return problems


def _map_problems(encoder: Any, maps: list[Tensor]) -> list[BenchError]:
    problems, size = [], encoder.input.size
    for i, (values, channels, stride) in enumerate(
        zip(maps, encoder.stage_channels, encoder.stage_strides, strict=True)
    ):
        # convolutions without padding lose borders, and models round up or down
        if not (
            values.ndim == 4
            and values.shape[1] == channels
            and 0.75 * stride <= size / values.shape[-1] < 1.5 * stride
        ):
            what = f"stage {i} gives a map {list(values.shape)}"
            side = -(-size // stride)
            fix = f"{channels} channels of stride {stride} mean [1, {channels}, {side}, {side}]"
            problems.append(BenchError(what, fix=fix))
    return problems


def _kind(value: Any) -> str:
    shape = list(value.shape) if isinstance(value, Tensor) else ""
    return f"{type(value).__name__} {shape}".strip()
