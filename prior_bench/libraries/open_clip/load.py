"""Load the weights and the tokenizer of an open_clip model, and check that they fit its config."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.permitted import check_depth
from prior_bench.checkpoints.values import require_finite, require_numbers
from prior_bench.encoders.hub import cached_folder, is_cached, no_questions, require_hub, without_hub
from prior_bench.errors import BenchError
from prior_bench.io.panics import panics_named
from prior_bench.libraries.folders import require_shards
from prior_bench.libraries.open_clip.describe import OpenClipConfig
from prior_bench.libraries.texts import FIX, VOCABULARIES, LibraryTokenizer, require_vocabulary
from prior_bench.model_folders.checked import checked_folder

STORED = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
"""Files of open_clip's weights on the hub."""
CONSTANTS = ("input_resolution", "context_length", "vocab_size", "attn_mask", "position_ids")
"""Last parts of the names of tensors that are no weights."""


def build(found: OpenClipConfig) -> Any:
    """Build a model and load its weights, in float32 and evaluation mode.

    Position embeddings of another size than the input's are resampled by open_clip.

    Raises:
        BenchError: the model cannot be built, or the weights are not its own.
    """
    from open_clip.model import convert_to_custom_text_state_dict, resize_pos_embed, resize_text_pos_embed

    require_weights(found)  # before memory for the model is asked for
    model, file = _empty(found), weights_file(found)
    tensors = _bare(read_tensors(file))
    if hasattr(model, "text") and "text_projection" in tensors:  # one of the two orders of open_clip's names
        tensors = convert_to_custom_text_state_dict(tensors)
    with _silent():
        resize_pos_embed(tensors, model)
        resize_text_pos_embed(tensors, model)
    _require_fit(tensors, model.state_dict(), file)
    require_finite(tensors, file)
    model.load_state_dict(tensors, strict=False)
    return model.float().eval()


def require_weights(found: OpenClipConfig) -> None:
    """Check that there are weights whose names and shapes fit the model; no values are read.

    Raises:
        BenchError: they do not fit, or the model cannot be built.
    """
    from open_clip.model import convert_to_custom_text_state_dict

    file = weights_file(found)
    tensors = _bare(read_tensors(file))
    check_depth(found.config, len(tensors), file)
    with torch.device("meta"):
        model = _empty(found)
    if hasattr(model, "text") and "text_projection" in tensors:
        tensors = convert_to_custom_text_state_dict(tensors)
    wanted = model.state_dict()
    _require_fit(tensors, wanted, file, resampled=True)
    require_numbers(tensors, wanted, file)


def weights_file(found: OpenClipConfig) -> Path:
    """Return the weights file; that of a name which open_clip knows is downloaded if it is not in the cache.

    Raises:
        BenchError: there is none.
    """
    if found.file is not None:
        return found.file
    if found.place is not None:
        found.place.fetch_weights()
        files = require_shards(found.place.folder)
        named = [path for path in files if path.name.startswith("open_clip")]
        return (named or files)[0]
    import open_clip

    name, _, tag = found.reference.partition("/")
    fix = f"download the file elsewhere, copy it here, and name it: open_clip:{name}@FILE"
    require_obtainable(found)
    try:
        with _silent():
            return Path(open_clip.download_pretrained(open_clip.get_pretrained_cfg(name, tag)))
    except Exception as error:  # the hub's client has many errors of its own
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise BenchError(
            f"the weights cannot be obtained: {reason}", where=found.reference, fix=fix
        ) from error


def require_obtainable(found: OpenClipConfig) -> None:
    """Check that weights which open_clip knows by name are in a cache or can be downloaded.

    Raises:
        NotThereError: neither.
    """
    import open_clip

    name, _, tag = found.reference.partition("/")
    stated = open_clip.get_pretrained_cfg(name, tag)
    place = str(stated.get("hf_hub") or "").strip("/")
    file = str(stated.get("url") or "").rpartition("/")[2]
    downloaded = file and (Path.home() / ".cache/clip" / file).is_file()
    if not downloaded and not (place and is_cached(place, (*STORED, file or STORED[0]))):
        fix = f"download the file elsewhere, copy it here, and name it: open_clip:{name}@FILE"
        require_hub(f"the weights '{tag}' of {name}", where=found.reference, fix=fix)


def load_tokenizer(found: OpenClipConfig, place: str | Path | None = None) -> LibraryTokenizer:
    """Load the tokenizer of a model, with its context length and padding.

    Args:
        found: description of the model.
        place: a folder with the tokenizer, if the model's own has none.

    Raises:
        BenchError: there is none.
    """
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    text = found.config["text_cfg"]
    length, options = text.get("context_length", 77), dict(text.get("tokenizer_kwargs") or {})
    name = text.get("hf_tokenizer_name") or text.get("hf_model_name")
    folder = place or (found.place.folder if found.place and found.place.is_local else None)
    if name and folder is not None:
        require_vocabulary(Path(folder))
    elif name and not Path(name).is_dir() and not is_cached(name, VOCABULARIES):
        require_hub(
            f"the tokenizer '{name}'", where=found.reference, fix=FIX
        )  # else it is tried for a minute
    if folder is not None or (name and Path(name).is_dir()):  # a name of the hub may be a folder here
        checked_folder(Path(folder or name))
    try:
        with _silent(), no_questions(), panics_named("its tokenizer", found.reference):
            if place is None and not name:
                tokenizer: Any = SimpleTokenizer(context_length=length, **options)
            else:
                mode = text.get("tokenizer_mode")
                source = str(folder or name)
                tokenizer = HFTokenizer(source, context_length=length, tokenizer_mode=mode, **options)
    except BenchError:
        raise
    except Exception as error:  # transformers raises nearly any exception for a missing tokenizer
        what = f"there is no tokenizer ('{name}') that open_clip can load"
        raise BenchError(what, where=found.reference, fix=FIX) from error

    def encode(texts: list[str]) -> tuple[Tensor, Tensor]:
        ids = tokenizer(texts)
        return ids, torch.ones_like(ids)  # open_clip finds the padding itself

    return LibraryTokenizer(encode, length)


def _empty(found: OpenClipConfig) -> Any:
    """Build a model without its weights, from the config alone."""
    import open_clip

    config = {**found.config, "vision_cfg": {**found.config["vision_cfg"], "image_size": found.input.size}}
    text = config["text_cfg"]
    custom = config.pop("custom_text", False) or "hf_model_name" in text
    if "hf_model_name" in text:
        config["text_cfg"] = {**text, "hf_model_pretrained": False}
    if "timm_model_name" in config["vision_cfg"]:
        config["vision_cfg"]["timm_model_pretrained"] = False
    kind = open_clip.CustomTextCLIP if custom else open_clip.CLIP
    if "multimodal_cfg" in config:
        kind = open_clip.CoCa
    if found.text_model and Path(found.text_model).is_dir():
        checked_folder(Path(found.text_model))
    elif found.text_model:
        config["text_cfg"]["hf_model_name"] = _place_of_text_config(found, found.text_model)
    try:
        with _silent(), no_questions(), torch.random.fork_rng(devices=[]):
            return kind(**config)
    except Exception as error:  # a config can hold anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"open_clip cannot build it from its config: {reason}"
        raise BenchError(what, where=found.reference, fix="download the folder again") from error


def _place_of_text_config(found: OpenClipConfig, name: str) -> str:
    """Return the folder of the cache with the config of a text tower, or its name if it can be downloaded.

    Raises:
        NotThereError: it is not in the cache, and a local folder names it or the hub cannot be reached.
    """
    if (folder := cached_folder(name, "config.json")) is not None:
        return str(folder)  # by its name, the hub would be asked whether it has changed
    what = f"the config of its text tower, '{name}',"
    fix = (
        f"on a machine with network: hf download {name} config.json --local-dir text; copy "
        f"text/config.json into the model's folder"
    )
    named_by_file = found.place is not None and found.place.is_local
    with without_hub() if named_by_file else nullcontext():
        require_hub(what, where=found.reference, fix=fix)
    return name


def _bare(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Remove the prefix of parallel training and tensors that are no weights."""
    return {
        name.removeprefix("module."): tensor
        for name, tensor in tensors.items()
        if name.rpartition(".")[2] not in CONSTANTS
    }


def _require_fit(
    given: dict[str, Tensor], wanted: dict[str, Tensor], where: Path, resampled: bool = False
) -> None:
    """Raise BenchError unless all tensors fit; with ``resampled``, position embeddings may have any size."""
    needed = {name: t for name, t in wanted.items() if name.rpartition(".")[2] not in CONSTANTS}
    wrong = [f"missing {name}" for name in needed if name not in given]
    wrong += [f"without counterpart {name}" for name in given if name not in needed]
    for name, tensor in needed.items():
        if name in given and given[name].shape != tensor.shape and not (resampled and "pos" in name):
            wrong.append(f"misshapen {name} {list(given[name].shape)} instead of {list(tensor.shape)}")
    if wrong:
        shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise BenchError(
            f"the weights do not fit the model: {shown}", where=where, fix="check the model's name"
        )


@contextmanager
def _silent() -> Iterator[None]:
    """Hide open_clip's messages at level INFO and WARNING on the root logger."""
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(before)
