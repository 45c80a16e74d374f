"""Weights files without a known layout: the fit of their tensors, and the image encoder that they fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench.backbones.image_encoders import drawn_encoder
from prior_bench.errors import BenchError

ROOM = 50_000_000
"""Values that a model may have beyond twice those of its file: those of its classifier, and of other tensors
that a file lacks. More than that is memory for nothing."""


def require_plain_fit(file: Path, path: Path, arguments: dict[str, Any]) -> None:
    """Raise BenchError if tensors do not fit an architecture, without memory for its weights.

    Args:
        file: the weights file.
        path: the file or its folder, for messages.
        arguments: of ImageEncoder.
    """
    import torch

    from prior_bench.checkpoints.permitted import check_depth
    from prior_bench.checkpoints.recognise import require_fit
    from prior_bench.checkpoints.timm_names import read_for_timm
    from prior_bench.checkpoints.values import require_numbers

    tensors = read_for_timm(file)
    check_depth(arguments, len(tensors), path)
    with torch.device("meta"):
        encoder = made_encoder({**arguments, "pretrained": False}, path)
    found, wanted = require_fit(tensors, encoder, path), encoder.model.state_dict()
    require_numbers({name: tensors[source] for name, source in found.mapping.items()}, wanted, path)
    needed, given = (sum(t.numel() for t in state.values()) for state in (wanted, tensors))
    if needed > 2 * given + ROOM:
        what = f"its architecture has {needed:,} values, the file has {given:,}"
        raise BenchError(what, where=path, fix="check model_args and the size in its config.json")


def made_encoder(arguments: dict[str, Any], path: Path) -> Any:
    """Make an ImageEncoder of what a file says; whatever that leads to is one message."""
    from prior_bench.encoders.image import ImageEncoder

    try:
        return ImageEncoder(**arguments)
    except BenchError as error:  # it names the argument; the file is named here
        what = f"{error.where}: {error.what}" if error.where else error.what
        raise BenchError(what, where=path, fix=error.fix) from error
    except Exception as error:  # a config can hold anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"its architecture cannot be built: {reason}"
        raise BenchError(what, where=path, fix="check model_args in its config.json") from error


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
    require_plain_fit(file, path, arguments)
    encoder = drawn_encoder(arguments, 0)  # tensors that the file lacks must not depend on the run
    found = load_image_weights(encoder, path)
    told = {"source": "checkpoint file", "path": str(path), "model": arguments["model_name"]}
    if others := other_weights(file):
        told["unused_weights"] = ", ".join(others)
    return encoder, {**told, **found}
