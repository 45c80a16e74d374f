"""Read folders in the format of the Hugging Face hub: a ``config.json`` next to the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prior_bench.api.inputs import spec_of
from prior_bench.checkpoints.permitted import check_image_encoder
from prior_bench.errors import BenchError
from prior_bench.model_folders.configs import read_config

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
        BenchError: a config cannot be read, has values of other types than timm's and transformers', or sets
            more than an architecture.
    """
    path = Path(path)
    if not path.is_dir():
        return {}
    config, images = read_config(path / "config.json"), read_config(path / "preprocessor_config.json")
    try:
        found = _stated_encoder(config, images)
    except (TypeError, ValueError, AttributeError, KeyError, IndexError, ZeroDivisionError) as error:
        what = (
            f"config.json or preprocessor_config.json states its model or input in a form not known: {error}"
        )
        raise BenchError(what, where=path, fix="download the folder again") from error
    if "input" in found:
        spec_of({"channels": found.get("in_channels", 3), **found["input"]}, path)
    if "model_name" in found:
        check_image_encoder(found, path / "config.json")
    return found


def _stated_encoder(config: dict[str, Any], images: dict[str, Any]) -> dict[str, Any]:
    weights = dict(config.get("pretrained_cfg") or {})
    found: dict[str, Any] = {}
    if name := config.get("architecture"):
        found["model_name"] = _text(name).partition(".")[0]
        arguments = dict(config.get("model_args") or {})
        found["in_channels"] = arguments.pop("in_chans", weights.get("input_size", [3])[0])
        arguments.pop("num_classes", None)
        if arguments:
            found["model_args"] = arguments
    elif "num_channels" in config:
        found["in_channels"] = config["num_channels"]
    if "in_channels" in found and type(found["in_channels"]) is not int:
        raise TypeError(f"channels are {found['in_channels']!r}")
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
    found = read_config(Path(path) / "config.json") if Path(path).is_dir() else {}
    return found if isinstance(found, dict) else {}


def exposure_of_folder(path: str | Path) -> dict[str, Any]:
    """Return ``training_data`` and ``known_exposure`` of an exported folder; empty for any other path."""
    return sound_exposure(config_of_folder(path).get(EXPOSURE))


def sound_exposure(told: Any) -> dict[str, Any]:
    """Return what a file tells of its training data, without entries that are not in the form of ours.

    ``training_data`` has dicts with ``dataset`` (a text, or a dict whose ``type`` is a text), ``split_rule``
    and ``splits``; ``known_exposure`` has pairs of texts. Readers are looked up by
    :func:`prior_bench.data.recorded.check_reader` before anything is opened.
    """
    told = told if isinstance(told, dict) else {}
    data, known = told.get("training_data"), told.get("known_exposure")
    found = {
        "training_data": [one for one in data if is_training_data(one)] if isinstance(data, list) else [],
        "known_exposure": [
            tuple(pair)
            for pair in (known if isinstance(known, list) else ())
            if isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
        ],
    }
    return {name: value for name, value in found.items() if value}


def training_data_of(provenance: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the data set, split rule and splits of the pre-training that one of our files states."""
    config = provenance.get("config")
    data = config.get("data") if isinstance(config, dict) else None
    if not isinstance(data, dict):
        return []
    seen = {**data, "splits": provenance.get("seen_splits", data.get("splits", ("train",)))}
    return [seen] if is_training_data(seen) else []


def is_training_data(value: Any) -> bool:
    """Whether a value that a file tells is a data set with its split rule and splits."""
    if not isinstance(value, dict):
        return False
    data, splits = value.get("dataset"), value.get("splits", ())
    if isinstance(data, dict):
        named = all(isinstance(data.get(key, ""), str) for key in ("type", "name", "root"))
        named = named and isinstance(data.get("type"), str) and all(isinstance(key, str) for key in data)
    else:
        named = isinstance(data, str)
    listed = isinstance(splits, list | tuple) and all(isinstance(one, str) for one in splits)
    return named and listed and isinstance(value.get("split_rule", ""), str)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no name")
    return value


def _side(size: Any) -> int | None:
    if isinstance(size, dict):
        return size.get("height") or size.get("shortest_edge")
    return size
