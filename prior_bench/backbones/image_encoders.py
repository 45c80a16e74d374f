"""What the sources of weights share: image encoders from a row's config, and the backbone made of one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from prior_bench.api import Backbone
from prior_bench.errors import BenchError
from prior_bench.versions import IMAGE_WEIGHTS, machinery, raised


def made_backbone(
    name: str, encoder: Any, method: Any, identity: str, provenance: dict[str, Any]
) -> Backbone:
    """A backbone in evaluation mode; ``method`` is None where only the image encoder is there."""
    (method if method is not None else encoder).eval()
    return Backbone(name, encoder, method, encoder.input, identity, provenance)


def encoder_arguments(given: dict[str, Any] | str | None) -> dict[str, Any]:
    """Arguments of ImageEncoder from a row's ``image_encoder``; a ResNet-50 where no model is named."""
    arguments = {"model_name": given} if isinstance(given, str) else dict(given or {})
    return {"model_name": "resnet50", **arguments}


def drawn_encoder(arguments: dict[str, Any], seed: int) -> Any:
    """An ImageEncoder whose weights depend on the seed alone; the random generator stays where it was."""
    import torch

    from prior_bench.encoders.image import ImageEncoder

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return ImageEncoder(**arguments)


def check_encoder(arguments: dict[str, Any]) -> None:
    """Raise ErrorList where ImageEncoder does not take these arguments."""
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


def encoder_versions(*further: str) -> dict[str, int]:
    """Declared versions behind an image encoder and of ``further`` machinery, as identities hold them."""
    return raised(machinery((*IMAGE_WEIGHTS, *further)))


def hash_of(*parts: Any) -> str:
    """Short hash of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
