"""Common functions of the sources of weights: make an image encoder from a row's config, and a backbone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from prior_bench.api import Backbone
from prior_bench.errors import BenchError
from prior_bench.versions import IMAGE_WEIGHTS, machinery, raised, statistics_part


def made_backbone(
    name: str, encoder: Any, method: Any, identity: str, provenance: dict[str, Any]
) -> Backbone:
    """Make a backbone in evaluation mode; ``method`` is None if there is only an image encoder."""
    (method if method is not None else encoder).eval()
    return Backbone(name, encoder, method, encoder.input, identity, provenance)


def encoder_arguments(given: dict[str, Any] | str | None) -> dict[str, Any]:
    """Return the arguments of ImageEncoder from a row's ``image_encoder``; the default is a ResNet-50."""
    arguments = {"model_name": given} if isinstance(given, str) else dict(given or {})
    return {"model_name": "resnet50", **arguments}


def at_size_of_weights(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments whose position embeddings keep their size if the input's size is changed later.

    Args:
        arguments: of ImageEncoder, with the input that the weights were made for.
    """
    from prior_bench.encoders.image import native_size

    native = native_size(arguments["model_name"])
    if native is None:
        return arguments
    size = (arguments.get("input") or {}).get("size", native)
    return {**arguments, "model_args": {"img_size": size, **(arguments.get("model_args") or {})}}


def drawn_encoder(arguments: dict[str, Any], seed: int) -> Any:
    """Make an ImageEncoder whose weights depend only on the seed; the global random state is unchanged."""
    import torch

    from prior_bench.encoders.image import ImageEncoder

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return ImageEncoder(**arguments)


@cache
def _size_problem(arguments: str, size: int) -> str:
    import torch

    from prior_bench.encoders.image import ImageEncoder

    with torch.device("meta"):
        encoder = ImageEncoder(**{**json.loads(arguments), "pretrained": False, "pool": "avg"})
    try:
        encoder.require_size(size)
    except BenchError as error:
        return error.what
    return ""


def size_problem(arguments: Mapping[str, Any], size: int) -> str:
    """Return why an ImageEncoder cannot take images of ``size`` pixels; empty if it can.

    Args:
        arguments: of ImageEncoder.
        size: side length in pixels.
    """
    return _size_problem(json.dumps(arguments, sort_keys=True), size)


def check_encoder(arguments: dict[str, Any]) -> None:
    """Raise ErrorList if ImageEncoder does not accept these arguments."""
    import inspect

    from prior_bench.encoders.image import ImageEncoder, known_model
    from prior_bench.errors import ErrorList, unknown_name

    known = list(inspect.signature(ImageEncoder).parameters)
    errors = [
        unknown_name("argument", key, known, where="image_encoder") for key in arguments if key not in known
    ]
    try:
        known_model(arguments["model_name"])
    except BenchError as error:
        errors.append(error)
    if errors:
        raise ErrorList("this image encoder cannot be made:", errors)


def encoder_versions(arguments: Mapping[str, Any] | None, *further: str) -> dict[str, int]:
    """Return the declared versions of an image encoder and of ``further`` machinery, for identities.

    Args:
        arguments: of ImageEncoder; None if they are recognised in a file.
        further: names in :data:`prior_bench.versions.MACHINERY`.
    """
    return raised(machinery((*IMAGE_WEIGHTS, *statistics_part(arguments or {}), *further)))


def hash_of(*parts: Any) -> str:
    """Return a short hash of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
