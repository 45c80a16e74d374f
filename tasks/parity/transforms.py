"""The ingredients "test transform" and "training transform": files that are made here, to tensors."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from prior_bench.api import Backbone, InputSpec, Protocol
from prior_bench.data.images.read import read_image
from prior_bench.data.images.transforms import (
    RadiographTransform,
    dense_transform,
    eval_transform,
    train_transform,
)
from prior_bench.errors import BenchError
from prior_bench.features.extract import Feed
from prior_bench.protocol_parity.ingredients import Values

from .pictures import described, write_pictures

DENSE = ("segmentation", "detection")
"""Tasks whose transforms take masks and boxes along."""


def test_transform(protocol: Protocol, given: Values) -> Values:
    """Return numbers of the tensors that evaluation makes of some files.

    Args:
        given: ``files``, names of :func:`tasks.parity.pictures.write_pictures`.

    Returns:
        ``FILE: shape``, ``FILE: grey`` (whether all channels are equal), ``FILE: mean and std``,
        ``FILE: rows``, ``FILE: columns`` and ``FILE: values``.
    """
    feed = _feed(protocol)
    found: Values = {}
    for name in given["files"]:
        image = _read(name)
        if protocol.task in DENSE:
            tensor = dense_transform(feed.input)(image, None, None)[0]
        else:
            tensor = eval_transform(feed.input, feed.steps)(image)
        found |= _named(name, tensor)
    return found


def training_transform(protocol: Protocol, given: Values) -> Values:
    """Return how the training transform draws, and the tensors that it makes with given draws.

    Args:
        given: ``file``, and ``draws`` by name: whether the steps that are not always applied are
            ``applied``, and their ``crop`` (top, left), ``resized_crop`` (top, left, height, width),
            ``brightness``, ``contrast``, which of them is ``first``, and ``sigma`` of the blur.

    Returns:
        The numbers of each tensor, as :func:`test_transform` names them, by draw; and of each step the
        probability and the ranges.
    """
    steps = protocol.transform["train"]
    found = _ranges(train_transform(_feed(protocol).input, steps))
    for name, draw in given["draws"].items():
        transform = train_transform(_feed(protocol).input, steps)
        _plant(transform, draw)
        found |= _named(name, transform(_read(given["file"])))
    return found


def _feed(protocol: Protocol) -> Feed:
    return Feed.of(cast(Backbone, SimpleNamespace(input=InputSpec())), protocol)


@cache
def _images() -> dict[str, np.ndarray]:
    with TemporaryDirectory() as folder:
        return {name: read_image(path) for name, path in write_pictures(Path(folder)).items()}


def _read(name: str) -> np.ndarray:
    if name not in _images():
        raise BenchError(f"there is no picture '{name}'", fix=f"known: {', '.join(_images())}")
    return _images()[name]


def _named(name: str, tensor: Tensor) -> Values:
    numbers = described(tensor.numpy())
    # one quantity, because a mean may be near zero, which no relative error suits
    numbers["mean and std"] = [numbers.pop("mean"), numbers.pop("std")]
    return {f"{name}: {key}": value for key, value in numbers.items()}


def _steps(transform: RadiographTransform) -> list[tuple[v2.RandomApply | None, Any]]:
    """Return each random step, with what applies it at random, or None."""
    parts = transform.augment.transforms if isinstance(transform.augment, v2.Compose) else []
    return [
        (part, part.transforms[0]) if isinstance(part, v2.RandomApply) else (None, part) for part in parts
    ]


def _ranges(transform: RadiographTransform) -> Values:
    found: Values = {"steps": [type(step).__name__ for _, step in _steps(transform)]}
    for outer, step in _steps(transform):
        name = type(step).__name__
        if outer is not None:
            found[f"{name}: p"] = outer.p
        elif hasattr(step, "p"):
            found[f"{name}: p"] = step.p
        for key in ("size", "scale", "ratio", "brightness", "contrast", "sigma"):
            if getattr(step, key, None) is not None:
                found[f"{name}: {key}"] = list(getattr(step, key))
    return found


def _plant(transform: RadiographTransform, draw: Values) -> None:
    """Replace what the steps draw by what is given."""
    size = transform.spec.size
    for outer, step in _steps(transform):
        chance = float(draw["applied"])
        if outer is not None:
            outer.p = chance
        if isinstance(step, v2.RandomHorizontalFlip):
            step.p = chance
        elif isinstance(step, v2.RandomCrop):
            top, left = draw["crop"]
            place = dict(top=top, left=left, height=size, width=size)
            _draw(step, needs_crop=True, needs_pad=False, padding=None, **place)
        elif isinstance(step, v2.RandomResizedCrop):
            top, left, height, width = draw["resized_crop"]
            _draw(step, top=top, left=left, height=height, width=width)
        elif isinstance(step, v2.ColorJitter):
            order = [0, 1, 2, 3] if draw["first"] == "brightness" else [1, 0, 2, 3]
            _draw(
                step,
                fn_idx=torch.tensor(order),
                brightness_factor=draw["brightness"],
                contrast_factor=draw["contrast"],
                saturation_factor=None,
                hue_factor=None,
            )
        elif isinstance(step, v2.GaussianBlur):
            _draw(step, sigma=[draw["sigma"]] * 2)
        else:
            raise BenchError(f"nothing plants the draws of {type(step).__name__}")


def _draw(step: Any, **drawn: Any) -> None:
    step.make_params = lambda _: drawn
