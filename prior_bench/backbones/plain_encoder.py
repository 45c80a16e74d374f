"""Weights files without a known layout: the fit of their tensors, and the image encoder that they fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench.backbones.image_encoders import drawn_encoder


def require_plain_fit(file: Path, path: Path, arguments: dict[str, Any]) -> None:
    """Raise BenchError if tensors do not fit an architecture, without memory for its weights.

    Args:
        file: the weights file.
        path: the file or its folder, for messages.
        arguments: of ImageEncoder.
    """
    import torch

    from prior_bench.checkpoints.recognise import require_fit
    from prior_bench.checkpoints.timm_names import read_for_timm
    from prior_bench.encoders.image import ImageEncoder

    with torch.device("meta"):
        encoder = ImageEncoder(**{**arguments, "pretrained": False})
    require_fit(read_for_timm(file), encoder, path)


def load_plain(
    file: Path, path: Path, arguments: dict[str, Any], input: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """Load an image encoder and return it with its provenance.

    Args:
        file, path, arguments: as in :func:`require_plain_fit`.
        input: fields of InputSpec to change.
    """
    from prior_bench.checkpoints.files import other_weights
    from prior_bench.checkpoints.recognise import load_image_weights

    arguments = {**arguments, "input": {**(arguments.get("input") or {}), **input}}
    encoder = drawn_encoder(arguments, 0)  # tensors that the file lacks must not depend on the run
    found = load_image_weights(encoder, path)
    told = {"source": "checkpoint file", "path": str(path), "model": arguments["model_name"]}
    if others := other_weights(file):
        told["unused_weights"] = ", ".join(others)
    return encoder, {**told, **found}
