"""Load released checkpoints as methods of this suite, with their text encoder or as image encoder alone."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from prior_bench.api import InputSpec
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.layouts import (
    Match,
    ReleasedLayout,
    Shapes,
    find_layout,
    layout_named,
    match,
    shapes_of,
)
from prior_bench.checkpoints.values import require_finite, require_numbers
from prior_bench.checkpoints.vocabulary import placeholder
from prior_bench.encoders.image import ImageEncoder
from prior_bench.encoders.tokenizer import ReportTokenizer

if TYPE_CHECKING:
    from prior_bench.backbones.text_model import SeparateText

IMAGE = "image_encoder."


def match_released(tensors: dict[str, Tensor]) -> Match | None:
    """Map the tensors of a released checkpoint; return None if its layout is unknown."""
    given = shapes_of(tensors)
    found = find_layout(given)
    if found is None:
        return None
    layout, wrapper = found
    return match(layout, wrapper, given, wanted_shapes(layout.name))


def origin_of(file: str | Path, provenance: dict[str, Any] | None = None) -> ReleasedLayout | None:
    """Return the layout of the released file that weights come from, if any.

    Args:
        file: the weights file.
        provenance: of a checkpoint of prior-bench; None for all others.
    """
    if provenance is None:
        found = find_layout(shapes_of(read_tensors(file)))
        return found[0] if found is not None else None
    source: Any = provenance
    while isinstance(source := source.get("converted_from"), dict):
        if layout := layout_named(str(source.get("layout", ""))):
            return layout
    return None


def load_released(
    found: Match, tensors: dict[str, Tensor], tokenizer: ReportTokenizer, where: str | Path, **changes: Any
) -> nn.Module:
    """Load the method of a released checkpoint, in evaluation mode.

    Args:
        found: result of :func:`match_released`.
        tensors: tensors of the file.
        tokenizer: tokenizer of its text encoder.
        where: the file, for messages.
        changes: fields of InputSpec to change.

    Raises:
        BenchError: some tensors do not fit; the message names them.
    """
    found.require_complete(where)
    require_finite({name: tensors[name] for name in found.mapping.values()}, where)
    method = _build(method_config(found.layout, changes), tokenizer)
    _fill(method, found, tensors)
    return method.eval()


def load_released_image(
    found: Match, tensors: dict[str, Tensor], where: str | Path, **changes: Any
) -> ImageEncoder:
    """Load the image encoder alone; the whole file must fit. For the arguments, see :func:`load_released`."""
    found.require_complete(where)
    require_finite({name: tensors[name] for name in found.mapping.values()}, where)
    encoder = _image_encoder(method_config(found.layout, changes))
    _fill(encoder, found, tensors, IMAGE)
    return encoder.eval()


def load_parts(
    found: Match,
    file: Path,
    tokenizer: ReportTokenizer | None,
    text: SeparateText | None,
    changes: dict[str, Any],
) -> tuple[ImageEncoder, Any, dict[str, Any]]:
    """Load what a released file has: the image encoder, the method or None, and the provenance of both.

    Args:
        found: result of :func:`match_released`.
        file: the weights file.
        tokenizer: tokenizer of the text encoder; None to load the image encoder alone.
        text: the text encoder, if it is in another place than the file.
        changes: fields of InputSpec to change.
    """
    from prior_bench.checkpoints.timm_names import read_for_timm

    tensors = read_for_timm(file)
    method: Any = None
    further: dict[str, str] = {}
    if tokenizer is None:
        encoder = load_released_image(found, tensors, file, **changes)
    else:
        if text is not None:
            found, tensors = text.joined(found, tensors)
            further = {"text_encoder": text.reference, "text_content": text.content()}
        method = load_released(found, tensors, tokenizer, file, **changes)
        encoder = method.image_encoder
    told = {
        "source": "released checkpoint",
        "layout": found.layout.name,
        "repository": found.layout.source,
        "share": found.share,
        "unused": sorted(found.unused),
    }
    return encoder, method, {**told, **further}


def method_config(layout: ReleasedLayout, changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the arguments of METHODS.build with changes of the input spec, without the tokenizer."""
    config = deepcopy(layout.method)
    stated = config["image_encoder"]["input"]
    if changes and "resize_to" in stated:  # another size keeps the cropped share of the image
        config["image_encoder"]["input"] = InputSpec(**stated).changed(changes).to_dict()
    else:
        stated |= changes or {}
    return config


@cache
def wanted_shapes(layout_name: str) -> Shapes:
    """Return the shapes of the tensors of a layout's method, without allocating their memory."""
    layout = layout_named(layout_name)
    assert layout is not None, "asked for by the name of a layout"
    config = method_config(layout)
    with torch.device("meta"):
        if "type" in config:
            state = _build(config, placeholder(layout.vocabulary, layout.max_tokens)).state_dict()
        else:
            state = {IMAGE + name: t for name, t in _image_encoder(config).state_dict().items()}
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def _build(config: dict[str, Any], tokenizer: ReportTokenizer) -> nn.Module:
    from prior_bench.registry import METHODS

    text = {**config["text_encoder"], "tokenizer": tokenizer.to_json()}
    return METHODS.build({**config, "text_encoder": text})


def _image_encoder(config: dict[str, Any]) -> ImageEncoder:
    return ImageEncoder(**config["image_encoder"])


def _fill(module: nn.Module, found: Match, tensors: dict[str, Tensor], beginning: str = "") -> None:
    target = module.state_dict()
    state = {}
    for ours, value, _ in found.layout.supplied:
        built = target.get(ours.removeprefix(beginning)) if ours.startswith(beginning) else None
        if built is not None:
            state[ours] = built if value is None else torch.full_like(built, value)
    mapped = {
        ours.removeprefix(beginning): tensors[t]
        for ours, t in found.mapping.items()
        if ours.startswith(beginning)
    }
    require_numbers(mapped, target, found.layout.name)
    for ours, theirs in found.mapping.items():
        if ours.startswith(beginning):
            state[ours] = tensors[theirs].reshape(target[ours.removeprefix(beginning)].shape)
    module.load_state_dict({name.removeprefix(beginning): tensor for name, tensor in state.items()})
