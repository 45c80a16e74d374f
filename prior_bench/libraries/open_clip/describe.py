"""Which open_clip model a reference means: its config, its weights and its input."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prior_bench.api import InputSpec
from prior_bench.api.inputs import spec_of
from prior_bench.errors import BenchError, NotThereError, unknown_name
from prior_bench.io.bounded import json_text
from prior_bench.libraries.folders import ModelFolder
from prior_bench.model_folders.checked import checked_folder

CONFIG = "open_clip_config.json"
RESIZES = {"shortest": "crop", "longest": "pad", "squash": "squash"}
"""Our names of open_clip's ways to resize."""
STATE = "state it: --input size=…,mean=…,std=…,resize=…,interpolation=… (in a suite's row: input=dict(…))"


@dataclass(frozen=True)
class OpenClipConfig:
    """A model of open_clip, as far as its config tells.

    Attributes:
        reference: what the user gave.
        config: open_clip's ``model_cfg``.
        place: the folder, or the name on the hub; None for a model that open_clip knows by name.
        file: the weights file; None for those of ``place`` or ``tag``.
        tag: open_clip's name of its own weights, or None.
        input: the input that the weights expect, with the user's changes.
    """

    reference: str
    config: dict[str, Any]
    place: ModelFolder | None
    file: Path | None
    tag: str | None
    input: InputSpec
    is_two_towers = True

    @property
    def patch(self) -> int:
        """The side of a patch of a ViT in pixels, of which inputs are multiples; 1 for other models."""
        vision = self.config["vision_cfg"]
        if "timm_model_name" in vision:
            return _patch_of_timm(vision["timm_model_name"])
        return 1 if isinstance(vision.get("layers"), list | tuple) else vision.get("patch_size", 16)

    @property
    def text_model(self) -> str | None:
        """The name or folder of a text tower that transformers builds; None for open_clip's own."""
        return self.config["text_cfg"].get("hf_model_name")


def describe(reference: str, changes: dict[str, Any] | None = None) -> OpenClipConfig:
    """Read the config of a model.

    Args:
        reference: a folder with ``open_clip_config.json``, ``"ORG/NAME"`` on the hub, ``"NAME/TAG"`` (a model
            and weights that open_clip knows), or ``"NAME@FILE"`` (a model that it knows, with other weights).
        changes: fields of InputSpec to change or to add.

    Raises:
        BenchError: there is no such model, or its input is not known.
    """
    import open_clip

    given = dict(changes or {})
    name, _, file = reference.partition("@")
    known = open_clip.list_models()
    if Path(reference).is_dir():
        return _of_folder(reference, ModelFolder(reference), given)
    if file and name in known:
        return _of_file(reference, name, Path(file), given)
    name, _, tag = reference.partition("/")
    if name in known:
        return _of_tag(reference, name, tag, given)
    if reference.count("/") != 1:
        raise unknown_name("model of open_clip", reference, [*known, "FOLDER", "ORG/NAME"], where="open_clip")
    return _of_folder(reference, ModelFolder(reference), given)


def _patch_of_timm(name: str) -> int:
    import timm
    import torch

    if not timm.is_model(name):
        return 1  # building it tells
    with torch.device("meta"):
        patches = getattr(timm.create_model(name, num_classes=0), "patch_embed", None)
    side = getattr(patches, "patch_size", 1)
    return side[0] if isinstance(side, tuple) else side


def _of_folder(reference: str, place: ModelFolder, changes: dict[str, Any]) -> OpenClipConfig:
    path = place.folder / CONFIG
    checked_folder(place.folder)
    if not path.is_file():
        raise BenchError(f"there is no {CONFIG}", where=place.folder, fix="download the folder again")
    try:
        stored = json.loads(json_text(path))
        config, preparation = deepcopy(stored["model_cfg"]), dict(stored.get("preprocess_cfg") or {})
        if not {"embed_dim", "vision_cfg", "text_cfg"} <= set(config):
            raise KeyError("embed_dim, vision_cfg and text_cfg are needed")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BenchError(
            f"is no config of open_clip: {error}", where=path, fix="download it again"
        ) from error
    _require_kinds(config, path)
    if "hf_model_name" in config["text_cfg"] and (place.folder / "config.json").is_file():
        config["text_cfg"]["hf_model_name"] = str(place.folder.resolve())
    return OpenClipConfig(
        reference, config, place, None, None, _input(config, preparation, changes, reference)
    )


TOKENIZER_OPTIONS = ("clean", "strip_sep_token", "language", "reduction_mask", "additional_special_tokens")
"""Options of a tokenizer that a config may set; the others go to transformers, and could make it run code."""


def _require_kinds(config: dict[str, Any], path: Path) -> None:
    """Raise BenchError if a config has other types than open_clip's, or options that a file may not set."""
    parts = {name: config[name] for name in ("vision_cfg", "text_cfg")}
    if wrong := [name for name, part in parts.items() if not isinstance(part, dict)]:
        raise BenchError(f"{' and '.join(wrong)} must be a dict", where=path, fix="download it again")
    options = parts["text_cfg"].get("tokenizer_kwargs") or {}
    if not isinstance(options, dict) or (wrong := sorted(options.keys() - set(TOKENIZER_OPTIONS))):
        named = ", ".join(wrong) if isinstance(options, dict) else options
        what = f"gives the tokenizer options that a file may not set: {named}"
        raise BenchError(what, where=path, fix="remove them, and use the folder only if you trust its source")
    patch = parts["vision_cfg"].get("patch_size", 16)
    if type(patch) is not int or patch < 1:
        raise BenchError(f"patch_size is {patch!r}", where=path, fix="download it again")
    text = parts["text_cfg"]
    names = [parts["vision_cfg"].get("timm_model_name"), text.get("hf_tokenizer_name")]
    if not (path.parent / "config.json").is_file():  # else that is the model's, wherever it was saved
        names.append(tower := text.get("hf_model_name"))
        if isinstance(tower, str) and tower and Path(tower).is_dir():  # whose configs nobody has checked
            what = f"names the folder {tower!r} as a part of the model, which is not opened"
            raise BenchError(what, where=path, fix=f"copy {tower}/config.json into the model's folder")
    for name in filter(None, names):
        if not isinstance(name, str) or ":" in name or Path(name).is_absolute():
            what = f"names {name!r} as a part of the model; only names of timm and of the hub are allowed"
            raise BenchError(what, where=path, fix="download it again")


def _of_file(reference: str, name: str, file: Path, changes: dict[str, Any]) -> OpenClipConfig:
    import open_clip

    if not file.is_file():
        raise NotThereError("no such weights file", where=file)
    if missing := [field for field in ("mean", "std") if field not in changes]:
        what = f"the file does not state the {' and the '.join(missing)} of its input"
        raise BenchError(what, where=file, fix=STATE)
    config = deepcopy(open_clip.get_model_config(name))
    return OpenClipConfig(reference, config, None, file, None, _input(config, {}, changes, reference))


def _of_tag(reference: str, name: str, tag: str, changes: dict[str, Any]) -> OpenClipConfig:
    import open_clip

    tags = open_clip.list_pretrained_tags_by_model(name)
    if tag not in tags:
        raise unknown_name(f"weights of {name}", tag, tags or [f"{name}@FILE"], where="open_clip")
    config, stated = deepcopy(open_clip.get_model_config(name)), open_clip.get_pretrained_cfg(name, tag)
    config["quick_gelu"] = bool(stated.get("quick_gelu", False))  # a wrong one is a warning in open_clip
    keys = ("mean", "std", "interpolation", "resize_mode")
    preparation = {key: stated[key] for key in keys if stated.get(key)}
    return OpenClipConfig(reference, config, None, None, tag, _input(config, preparation, changes, reference))


def _input(config: dict[str, Any], stated: dict[str, Any], changes: dict[str, Any], where: str) -> InputSpec:
    """Return the input; what a config leaves out has open_clip's defaults."""
    from open_clip import OPENAI_DATASET_MEAN, OPENAI_DATASET_STD

    size = config["vision_cfg"].get("image_size", 224)
    size = size[0] if isinstance(size, list | tuple) and size else size
    mode, filter = stated.get("resize_mode", "shortest"), stated.get("interpolation", "bicubic")
    if not isinstance(mode, str) or mode not in RESIZES:
        raise BenchError(f"resizes in the way '{mode}'", where=where, fix=STATE)
    if not isinstance(filter, str):
        raise BenchError(f"interpolates by {filter!r}", where=where, fix=STATE)
    found = {
        "size": size,
        "mean": stated.get("mean") or OPENAI_DATASET_MEAN,
        "std": stated.get("std") or OPENAI_DATASET_STD,
        "resize": RESIZES[mode],
        "interpolation": "bilinear" if filter == "bilinear" else "bicubic",
    }
    return spec_of({**found, **changes}, where)
