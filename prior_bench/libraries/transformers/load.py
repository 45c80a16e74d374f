"""Load the weights and the tokenizer of a folder, and check that they are those of its config."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.permitted import check_depth
from prior_bench.checkpoints.values import require_numbers
from prior_bench.encoders.hub import no_progress_bar, quiet
from prior_bench.errors import BenchError
from prior_bench.io.panics import panics_named
from prior_bench.libraries.folders import require_shards
from prior_bench.libraries.texts import FIX, LibraryTokenizer, require_vocabulary, transformers_encoding
from prior_bench.libraries.transformers.describe import FolderConfig
from prior_bench.model_folders.checked import checked_folder

ROOM = 50_000_000
"""Values that a model may have beyond twice those of its files: of parts that files lack."""


def build(found: FolderConfig) -> Any:
    """Load the model of a folder, in float32 and evaluation mode.

    Raises:
        BenchError: tensors are missing, misshapen, not finite or belong to a larger model.
    """
    check_size(found)
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": found.remote_code}
    if found.vision.model_type == "vit_mae":
        options["mask_ratio"] = 0.0
    try:
        with quiet("transformers"), no_progress_bar(), torch.random.fork_rng(devices=[]):
            model, told = found.model.from_pretrained(
                found.folder,
                config=_changed(found.config, options),
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                **options,
            )
    except Exception as error:  # transformers raises nearly any exception for a damaged folder
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"transformers cannot load it: {reason}"
        raise BenchError(what, where=found.folder, fix="download the folder again") from error
    _require_loaded(model, told, found)
    return model.float().eval()


def require_weights(found: FolderConfig) -> None:
    """Check that a folder has the weights of its model, as far as names and shapes in headers tell.

    Headers of safetensors are read; files of torch, and names that transformers changes while it loads, are
    checked by loading the model.

    Raises:
        BenchError: a shard is missing or damaged, or tensors are missing, misshapen or of a larger model.
    """
    given, wanted = check_size(found)
    if given != wanted or any(path.suffix == ".bin" for path in require_shards(found.folder)):
        build(found)


def check_size(found: FolderConfig) -> tuple[dict[str, tuple[int, ...]], dict[str, tuple[int, ...]]]:
    """Compare a folder's config with its weights files, before memory for the model is asked for.

    Returns:
        The shapes of the tensors in the files and in the model, by name.

    Raises:
        BenchError: a file is damaged or contains no weights, or the config describes a far larger model.
    """
    require_shards(found.folder)
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(found.folder.iterdir()):  # all of them: transformers has its own order
        if path.suffix in (".safetensors", ".bin") and path.is_file():
            tensors |= read_tensors(path)
    if (found.folder / "adapter_config.json").is_file():
        what = "is an adapter, which belongs to the weights of another model"
        raise BenchError(what, where=found.folder, fix="merge it into its model and save that")
    check_depth(found.config.to_dict(), len(tensors), found.folder / "config.json")
    try:
        with torch.device("meta"), quiet("transformers"):
            model = found.model(found.config)
    except Exception as error:  # a config can hold anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        what = f"transformers cannot build the model of its config.json: {reason}"
        raise BenchError(what, where=found.folder, fix="download the folder again") from error
    wanted = model.state_dict()
    needed, given = (sum(t.numel() for t in state.values()) for state in (wanted, tensors))
    if needed > 2 * given + ROOM:
        what = f"config.json describes a model of {needed:,} values, the files have {given:,}"
        raise BenchError(what, where=found.folder, fix="download the folder again")
    _require_numbers(tensors, model, found.folder)
    return (
        {name: tuple(tensor.shape) for name, tensor in tensors.items()},
        {name: tuple(tensor.shape) for name, tensor in wanted.items()},
    )


def _require_numbers(tensors: dict[str, torch.Tensor], model: nn.Module, folder: Path) -> None:
    """Raise BenchError for integers where the model has no counters or indices; names may differ."""
    integers = {name.rpartition(".")[2] for name, b in model.named_buffers() if not b.is_floating_point()}
    integers |= {"position_ids", "num_batches_tracked", "relative_position_index"}
    wanted = {n: torch.empty(0) for n in tensors if n.rpartition(".")[2] not in integers}
    require_numbers(tensors, wanted, folder)


def load_tokenizer(found: FolderConfig, place: str | Path | None = None) -> LibraryTokenizer:
    """Load the tokenizer of a two-tower model, with the padding and the length that its texts had.

    Args:
        found: description of the model's folder.
        place: a folder with the tokenizer, if it is not in the model's own.

    Raises:
        BenchError: there is none, or it belongs to another model.
    """
    from transformers import AutoTokenizer

    folder = Path(place) if place is not None else found.folder
    require_vocabulary(folder)
    try:
        with quiet("transformers"), panics_named("its tokenizer", folder):
            checked_folder(folder)
            tokenizer = AutoTokenizer.from_pretrained(  # nosec B615
                folder, local_files_only=True, trust_remote_code=False
            )
    except BenchError:
        raise
    except Exception as error:  # transformers raises nearly any exception for a missing tokenizer
        what = "there is no tokenizer that transformers can load"
        raise BenchError(what, where=folder, fix=FIX) from error
    config = found.config.text_config
    if tokenizer.vocab_size > config.vocab_size:  # added tokens, which no text has, may exceed it
        what = f"the tokenizer has {tokenizer.vocab_size} tokens, the text encoder has {config.vocab_size}"
        raise BenchError(what, where=folder, fix="take the tokenizer of this model")
    positions = config.max_position_embeddings
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "mpnet"):
        positions -= config.pad_token_id + 1  # their positions begin after the padding's
    length = min(tokenizer.model_max_length, positions)
    encode = transformers_encoding(tokenizer, length, not found.pads_to_maximum)
    with panics_named("its tokenizer", folder):
        largest = int(encode(["a"])[0].max())  # with what begins, ends and pads every text
    if largest >= config.vocab_size:
        what = f"the tokenizer puts the token {largest} into texts, the text encoder has {config.vocab_size}"
        raise BenchError(what, where=folder, fix="take the tokenizer of this model")
    return LibraryTokenizer(encode, length)


def _changed(config: Any, options: dict[str, Any]) -> Any:
    """Apply options that belong to the config, and take them away from those of the loader."""
    if "mask_ratio" in options:
        config.mask_ratio = options.pop("mask_ratio")
    return config


def _require_loaded(model: nn.Module, told: dict[str, Any], found: FolderConfig) -> None:
    """Raise BenchError if the weights are not those of the model."""
    unused = "^$" if found.pool == "pooler" else r"(^|\.)pooler\."
    missing = [
        name for name in told["missing_keys"] if not re.search(rf"position_ids$|mask_token$|{unused}", name)
    ]
    shapes = [re.sub(r"\d+", "#", name) for name in model.state_dict()]
    larger = [
        n for n in told["unexpected_keys"] if any(re.sub(r"\d+", "#", n).endswith(s) for s in set(shapes))
    ]
    wrong = [f"missing {name}" for name in sorted(missing)]
    wrong += [f"misshapen {name if isinstance(name, str) else name[0]}" for name in told["mismatched_keys"]]
    wrong += [f"without counterpart {name}" for name in sorted(larger)]
    if wrong:
        shown = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        what = f"the weights are not those of its config.json: {shown}"
        raise BenchError(what, where=found.folder, fix="download the folder again")
    from prior_bench.checkpoints.values import require_finite

    require_finite(dict(model.state_dict()), found.folder)
