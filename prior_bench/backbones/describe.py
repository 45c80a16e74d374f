"""Describe a checkpoint: its layout, the use of its tensors, and the input of its image encoder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prior_bench.backbones.stated_input import IMAGENET, STATISTICS, lacks_statistics
from prior_bench.checkpoints.files import other_weights, read_tensors, sha256
from prior_bench.checkpoints.folders import weights_file
from prior_bench.checkpoints.layouts import Match
from prior_bench.checkpoints.native import NativeInfo, changed_tensors, read_info
from prior_bench.checkpoints.timm_names import read_for_timm
from prior_bench.checkpoints.values import not_finite
from prior_bench.registry import METHODS


@dataclass
class CheckpointDescription:
    """The description of a checkpoint.

    Attributes:
        path, sha256: the file and its hash.
        layout: name of the layout.
        share: matched share of the model's tensors, in [0, 1].
        mapping: name of a tensor in the file, by its name in the model.
        unused: reason why a tensor is not used, by its name in the file.
        problems: tensors that are missing, unknown or misshapen; such a file is not loaded.
        supplied: reason why files of this layout lack a tensor, by its name in the model.
        input: the input that the image encoder expects.
        text: whether there is a text encoder, and what it needs.
        notes: facts about preprocessing, scoring and origin.
        warnings: warnings of its pre-training (docs/pretraining.md); None if the file does not say.
    """

    path: Path
    sha256: str
    layout: str
    share: float
    mapping: dict[str, str]
    input: dict[str, Any]
    text: str = "none: an image encoder alone"
    unused: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    supplied: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] | None = None


def describe(path: str | Path) -> CheckpointDescription:
    """Read a file or folder and describe it.

    Raises:
        BenchError: the checkpoint cannot be read or has an unknown architecture.
    """
    file = weights_file(path)
    if (info := read_info(file)) is not None:
        return _native(file, info)
    from prior_bench.backbones.released import match_released

    tensors = read_for_timm(file)
    found = match_released(tensors)
    return _released(file, found, tensors) if found is not None else _image_encoder(Path(path), file)


def _native(file: Path, info: NativeInfo) -> CheckpointDescription:
    names = read_tensors(file)
    kind = f"method '{info.method['type']}'" if info.is_method else "image encoder"
    text = "yes, with its tokenizer" if info.is_method else CheckpointDescription.text
    notes = tuple(f"{key}: {value}" for key, value in info.provenance.items() if isinstance(value, str | int))
    notes += tuple(f"trained with {part}" for part in _computed(info.provenance.get("computed")))
    hashed = "tensors as written (sha256 in the file)" if info.tensors else "carries no hash of its tensors"
    changed = changed_tensors(info, names)
    notes = (*notes, *([] if changed else [hashed]))
    if info.is_method and METHODS.registered(info.method["type"]) is None:
        notes += ("its method is not registered here: evaluations need --method with its name",)
    mapping = {name: name for name in names}
    told = info.provenance.get("warnings")
    warnings = tuple(str(warning) for warning in told) if isinstance(told, list) else None
    return CheckpointDescription(
        file,
        sha256(file),
        f"prior-bench, {kind}",
        1.0,
        mapping,
        info.input,
        text,
        problems=(*([changed] if changed else []), *not_finite(names)),
        notes=notes,
        warnings=warnings,
    )


def _computed(told: Any) -> list[str]:
    """Return processes, device and precision of each part of a pre-training, such as ``processes 2, …``."""
    parts = told if isinstance(told, list) else []
    return [
        ", ".join(f"{key} {value}" for key, value in part.items() if isinstance(value, str | int))
        for part in parts
        if isinstance(part, dict)
    ]


def _released(file: Path, found: Match, tensors: dict[str, Any]) -> CheckpointDescription:
    layout = found.layout
    text = CheckpointDescription.text
    if layout.has_text:
        text = (
            f"yes, texts up to {layout.max_tokens} tokens; no vocabulary in the file: needs the tokenizer of "
            f"{layout.tokenizer} ({layout.vocabulary} tokens)"
        )
    elif layout.text_model:
        name = layout.text_model.partition("@")[0]
        text = f"in another place: {name}; --text-encoder names its folder"
    return CheckpointDescription(
        file,
        sha256(file),
        f"{layout.name} (released: {layout.source})",
        found.share,
        found.mapping,
        _told_input(layout.image_encoder["input"]),
        text,
        found.unused,
        (*found.problems, *not_finite(tensors)),
        {name: why for name, _, why in layout.supplied if name not in found.mapping},
        (*layout.notes, *_other_weights(file)),
    )


def _image_encoder(path: Path, file: Path) -> CheckpointDescription:
    import torch

    from prior_bench.backbones.plain_encoder import made_encoder
    from prior_bench.checkpoints.architectures import arguments_for
    from prior_bench.checkpoints.permitted import check_depth
    from prior_bench.checkpoints.recognise import recognise

    tensors = read_for_timm(file)
    spoiled = not_finite(tensors)
    told = arguments_for(tensors, path)
    check_depth(told, len(tensors), path)
    with torch.device("meta"):
        encoder = made_encoder(told, path)
    found = recognise(tensors, encoder.model)
    notes = [] if found.is_refused else [f"left as drawn at random: {problem}" for problem in found.problems]
    notes += _other_weights(file)
    input = encoder.input.to_dict()
    if lacks_statistics(told.get("input") or {}):
        example = IMAGENET[encoder.input.channels]
        notes.append(f"the file does not state the input's statistics: give them, as in --input '{example}'")
        input |= dict.fromkeys(STATISTICS)
    return CheckpointDescription(
        file,
        sha256(file),
        f"{found.layout}, {told['model_name']}" + (f", under '{found.prefix}'" if found.prefix else ""),
        found.share,
        found.mapping,
        input,
        unused={name: "not part of the image encoder" for name in found.unused},
        problems=(*(found.problems if found.is_refused else ()), *spoiled),
        notes=tuple(notes),
    )


def _other_weights(file: Path) -> list[str]:
    """Return a note on weights in the file beside those that are read."""
    others = other_weights(file)
    return (
        [f"there are further weights in the file, which are not used: {', '.join(others)}"] if others else []
    )


def _told_input(stated: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a layout's input; statistics that its authors do not state are None."""
    return {**dict.fromkeys(STATISTICS), **stated}


def as_text(found: CheckpointDescription, every_tensor: bool = False) -> str:
    """Format the description as text; tensors are grouped by module, unless ``every_tensor``."""
    lines = [
        f"file      {found.path} ({found.path.stat().st_size / 2**20:.1f} MiB)",
        f"sha256    {found.sha256}",
        f"layout    {found.layout}",
        f"matched   {found.share:.1%} of the model's tensors: {len(found.mapping)} used, "
        f"{len(found.unused)} unused on purpose, {len(found.problems)} that do not fit",
        f"input     {input_in_words(found.input)}",
        f"text      {found.text}",
        *(f"note      {note}" for note in found.notes),
        *(f"warning   {warning}" for warning in found.warnings or ()),
        *(["warning   none while training"] if found.warnings == () else []),
        "",
        "tensors (in the file -> in prior-bench)",
        *_table([(theirs, ours) for ours, theirs in found.mapping.items()], every_tensor, " -> "),
    ]
    if found.supplied:
        lines += ["", "not in such files", *(f"  {name}: {why}" for name, why in found.supplied.items())]
    if found.unused:
        lines += ["", "unused on purpose", *_table(found.unused.items(), every_tensor, ": ")]
    if found.problems:
        lines += ["", "does not fit: the file is refused", *(f"  {problem}" for problem in found.problems)]
    return "\n".join(lines)


def input_in_words(spec: dict[str, Any]) -> str:
    """Format the fields of an InputSpec; statistics that nobody states are None."""
    channels = "1 channel" if spec["channels"] == 1 else f"{spec['channels']} channels"
    return (
        f"{spec['size']} x {spec['size']} pixels, {channels}, mean {_numbers(spec['mean'])}, "
        f"std {_numbers(spec['std'])}, {_resizing(spec)}"
    )


def _resizing(spec: dict[str, Any]) -> str:
    """Format how images get their size; what is usual is left out."""
    scaled = f" of {spec['resize_to']} pixels" if spec.get("resize_to") else ""
    filtered = spec.get("interpolation", "bilinear")
    rounded = ", rounded down" if spec.get("rounding", "nearest") == "down" else ""
    bright = ", brightest pixel made white" if spec.get("brighten") else ""
    equal = ", histogram equalised" if spec.get("equalize") else ""
    filtering = f", {filtered}" if filtered != "bilinear" else ""
    return f"resize '{spec['resize']}'{scaled}{rounded}{filtering}{bright}{equal}"


def _numbers(statistic: float | Sequence[float] | None) -> str:
    """Format one number, or one for each channel; "not stated" for None."""
    if statistic is None:
        return "not stated"
    if isinstance(statistic, int | float):
        return f"{statistic:g}"
    return " / ".join(f"{value:g}" for value in statistic)


def _table(pairs: Iterable[tuple[str, str]], every: bool, arrow: str) -> list[str]:
    if every:
        return [f"  {left}{arrow}{right}" for left, right in pairs]
    is_name = arrow == " -> "
    groups = Counter((_module(left), _module(right) if is_name else right) for left, right in pairs)
    return [f"  {n:>5}  {left}{arrow}{right}" for (left, right), n in groups.items()]


def _module(name: str) -> str:
    """Return the module of a tensor: its name up to the first number, or its parent."""
    short = re.split(r"\.\d+\.|(?<=layer)\d+\.|(?<=block)\d+\.", name)[0]
    parent = short if short != name else name.rpartition(".")[0]
    return f"{parent}.*" if parent else name
