"""Describe a folder of transformers or open_clip by the library that builds it: towers, pooling, input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from prior_bench.backbones.describe import input_in_words
from prior_bench.backbones.stated_input import STATISTICS
from prior_bench.errors import BenchError
from prior_bench.libraries.folders import ModelFolder

NOT_STATED = {"mean": 0.0, "std": 1.0}
"""Statistics with which a folder that states none is looked at; they are not shown."""


@dataclass
class LibraryDescription:
    """The description of a folder.

    Attributes:
        folder: the folder.
        content: hash of its files.
        library: the library with its version, and the class that it builds.
        vision: the image encoder.
        text: the text encoder with its tokenizer, or that there is none.
        pooling: the global feature.
        input: fields of the input; statistics that the folder does not state are None.
        problems: why its weights or its tokenizer cannot be used.
    """

    folder: Path
    content: str
    library: str
    vision: str
    text: str
    pooling: str
    input: dict[str, Any]
    problems: tuple[str, ...] = ()


def describe_folder(folder: str | Path, library: str) -> LibraryDescription:
    """Read a folder and check its weights, without loading them where their headers suffice.

    Args:
        folder: the folder.
        library: ``"hf"`` or ``"open_clip"``, from :func:`prior_bench.backbones.reference.library_of`.

    Raises:
        BenchError: the folder is none of a model with an image encoder.
    """
    return _of_open_clip(Path(folder)) if library == "open_clip" else _of_transformers(Path(folder))


def folder_as_text(found: LibraryDescription) -> str:
    """Format the description as text."""
    size = sum(path.stat().st_size for path in found.folder.iterdir() if path.is_file())
    lines = [
        f"folder    {found.folder} ({size / 2**20:.1f} MiB)",
        f"content   {found.content}",
        f"library   {found.library}",
        f"vision    {found.vision}",
        f"text      {found.text}",
        f"pooling   {found.pooling}",
        f"input     {input_in_words(found.input)}",
        *(["weights   complete"] if not found.problems else []),
        *(f"problem   {problem}" for problem in found.problems),
    ]
    return "\n".join(lines)


def _of_transformers(folder: Path) -> LibraryDescription:
    from prior_bench.libraries.transformers import load
    from prior_bench.libraries.transformers.describe import describe

    found, spec = _with_input(lambda changes: describe(folder, changes))
    text, problems = "none: an image encoder alone", _problems(lambda: load.require_weights(found))
    if found.is_two_towers:
        kind = f"{found.config.text_config.model_type}, {_sizes(found.config.text_config)}"
        text, lost = _text(kind, lambda: load.load_tokenizer(found))
        problems += lost
    pooling = {
        "cls": "the class token",
        "mean": "the mean of the patches",
        "pooler": "the model's own pooled vector",
    }[found.pool]
    return LibraryDescription(
        folder,
        ModelFolder(str(folder)).content(),
        f"transformers {version('transformers')}, {found.model.__name__}",
        f"{found.vision.model_type}, {_sizes(found.vision)}",
        text,
        f"{pooling} ('{found.pool}')",
        spec,
        problems,
    )


def _of_open_clip(folder: Path) -> LibraryDescription:
    from prior_bench.libraries.open_clip import load
    from prior_bench.libraries.open_clip.describe import describe

    found, vision = describe(str(folder)), describe(str(folder)).config["vision_cfg"]
    own, timm_name = found.config["text_cfg"], vision.get("timm_model_name")
    layers = vision.get("layers", 12)
    kind = (
        "ResNet of CLIP"
        if isinstance(layers, list)
        else f"ViT, {vision.get('width', 768)} wide, {layers} layers"
    )
    custom = found.config.get("custom_text") or "hf_model_name" in own
    words = (
        "transformers, as its folder's config.json states"
        if "hf_model_name" in own
        else (f"open_clip's, {own.get('width', 512)} wide, {own.get('layers', 12)} layers")
    )
    text, lost = _text(words, lambda: load.load_tokenizer(found))
    return LibraryDescription(
        folder,
        ModelFolder(str(folder)).content(),
        f"open_clip {version('open_clip_torch')}, {'CustomTextCLIP' if custom else 'CLIP'}",
        f"timm's {timm_name}" if timm_name else kind,
        text,
        "what the projection to the joint space reads",
        found.input.to_dict(),
        _problems(lambda: load.require_weights(found)) + lost,
    )


def _with_input(describe: Callable[[dict[str, Any]], Any]) -> tuple[Any, dict[str, Any]]:
    """Return the description, and its input; statistics that the folder does not state are None."""
    try:
        found = describe({})
    except BenchError:
        found = describe(NOT_STATED)  # fails again if something else is wrong
        return found, found.input.to_dict() | dict.fromkeys(STATISTICS)
    return found, found.input.to_dict()


def _text(kind: str, load: Callable[[], Any]) -> tuple[str, tuple[str, ...]]:
    """Return the text encoder in words, and what its tokenizer lacks."""
    try:
        tokenizer = load()
    except BenchError as error:
        return kind, (str(error),)
    return f"{kind}; texts up to {tokenizer.max_tokens} tokens, with its tokenizer", ()


def _problems(check: Callable[[], None]) -> tuple[str, ...]:
    try:
        check()
    except BenchError as error:
        return (str(error),)
    return ()


def _sizes(config: Any) -> str:
    """Return the sizes that a config of transformers states."""
    names = {"hidden_size": "{} wide", "num_hidden_layers": "{} layers", "num_attention_heads": "{} heads"}
    stated = [text.format(getattr(config, name)) for name, text in names.items() if hasattr(config, name)]
    patch = getattr(config, "patch_size", None)
    return ", ".join([*stated, *([f"patches of {patch}"] if patch is not None else [])])
