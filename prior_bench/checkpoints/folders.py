"""Read folders in the format of the Hugging Face hub: a ``config.json`` next to the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prior_bench.checkpoints.permitted import check_image_encoder
from prior_bench.errors import BenchError

EXPOSURE = "prior_bench"
"""Key of ``config.json`` in folders that prior-bench exported; it holds the exposure of the weights."""
WEIGHTS = ("model.safetensors", "pytorch_model.bin")


def weights_file(path: str | Path) -> Path:
    """Return the weights file of a folder, or the path itself if it is a file.

    Raises:
        BenchError: the folder does not contain its weights in one file.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    for name in WEIGHTS:
        if (path / name).is_file():
            return path / name
    raise BenchError(f"folder without {' or '.join(WEIGHTS)}", where=path, fix="give the weights file itself")


def encoder_of_folder(path: str | Path) -> dict[str, Any]:
    """Return the arguments of ImageEncoder that a folder's configs state; empty for a file.

    Raises:
        BenchError: a config cannot be read, or sets more than an architecture.
    """
    path = Path(path)
    if not path.is_dir():
        return {}
    config, images = _json(path / "config.json"), _json(path / "preprocessor_config.json")
    weights = config.get("pretrained_cfg") or {}
    found: dict[str, Any] = {}
    if name := config.get("architecture"):
        found["model_name"] = name.partition(".")[0]
        arguments = dict(config.get("model_args") or {})
        found["in_channels"] = arguments.pop("in_chans", weights.get("input_size", [3])[0])
        arguments.pop("num_classes", None)
        if arguments:
            found["model_args"] = arguments
            check_image_encoder(found, path / "config.json")
    elif "num_channels" in config:
        found["in_channels"] = config["num_channels"]
    mean, std = (
        images.get(f"image_{which}") if images.get("do_normalize", True) else None
        for which in ("mean", "std")
    )
    mean, std = mean or weights.get("mean"), std or weights.get("std")
    size = _side(images.get("size")) or weights.get("input_size", [None])[-1] or config.get("image_size")
    if found.get("in_channels") == 1:  # of a network for colours, whose first layer is summed over them
        mean, std = (value and sum(value) / len(value) for value in (mean, std))
    if given := {k: v for k, v in {"size": size, "mean": mean, "std": std}.items() if v}:
        found["input"] = given
    return found


def config_of_folder(path: str | Path) -> dict[str, Any]:
    """Return ``config.json`` of a folder; empty for any other path.

    Raises:
        BenchError: it cannot be read.
    """
    found = _json(Path(path) / "config.json") if Path(path).is_dir() else {}
    return found if isinstance(found, dict) else {}


def exposure_of_folder(path: str | Path) -> dict[str, Any]:
    """Return ``training_data`` and ``known_exposure`` of an exported folder; empty for any other path."""
    found = _json(Path(path) / "config.json").get(EXPOSURE) if Path(path).is_dir() else None
    return found if isinstance(found, dict) else {}


def _side(size: Any) -> int | None:
    if isinstance(size, dict):
        return size.get("height") or size.get("shortest_edge")
    return size


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise BenchError(f"not valid JSON: {error}", where=path) from error
