"""Check that the description of a model in a file cannot make us read, fetch or run anything else.

The metadata of our files and the ``config.json`` of a folder may come from strangers. They may choose an
architecture. But timm and transformers, which build it, would accept more than that.
"""

from __future__ import annotations

import inspect
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.model_folders.configs import entries, names_code, refuse

IMAGE_ENCODER = frozenset(("model_name", "in_channels", "pool", "local_stage", "model_args", "input"))
"""What ``ImageEncoder.arguments`` has; ``pretrained`` is not among it."""
TEXT_ENCODER = frozenset(("config", "max_tokens", "pool", "frozen_layers", "last_layers", "attentions"))
"""Arguments of TextEncoder that a file may set. ``name`` is not allowed: it can be a folder or a hub name."""


def check_image_encoder(arguments: dict[str, Any], where: object) -> None:
    """Raise BenchError if arguments of ImageEncoder name other files or weights to download."""
    import timm

    name = arguments.get("model_name", "")
    if not isinstance(name, str) or ":" in name:  # hf-hub:… and local-dir:… are read from there
        raise BenchError(f"names the architecture {name!r}, which is no model of timm", where=where)
    own = inspect.signature(timm.create_model).parameters  # checkpoint_path, pretrained, cache_dir…
    given = arguments.get("model_args") or {}
    refused = sorted(arguments.keys() - IMAGE_ENCODER)
    refused += [f"model_args.{key}" for key in given if key in own or key.startswith("pretrained")]
    refuse(refused, where)


def check_text_encoder(arguments: dict[str, Any], where: object) -> None:
    """Raise BenchError if arguments of TextEncoder name a folder, or a model or code on the hub."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as KNOWN

    refused = sorted(arguments.keys() - TEXT_ENCODER)
    config = arguments.get("config")
    kind = config.get("model_type", "bert") if isinstance(config, dict) else "bert"
    if not isinstance(kind, str) or kind not in KNOWN:  # others build networks that they fetch
        raise BenchError(f"has a text encoder of type {kind!r}, which is no text model", where=where)
    refused += [f"config.{key}" for key, value in entries(arguments.get("config")) if names_code(key, value)]
    refuse(refused, where)


def permitted_method(name: str, where: object) -> Any:
    """Return the class of the method that a file names, if it is registered.

    A name in full (``module:Class``) is code: it is not imported because a file says so, only used if the
    user named it in this process (``--method``, a config).

    Raises:
        BenchError: it is not registered, or no model class.
    """
    from torch import nn

    from prior_bench.registry import METHODS

    kind = METHODS.registered(name)
    if kind is None and ":" not in name:
        return METHODS.get(name)  # its error tells the similar names
    if kind is None:
        raise BenchError(
            f"names the method '{name}', which is not registered; code that a file names is not run",
            where=where,
            fix=f"if you trust its module, say so by its name: --method {name} (in a suite's row: "
            f"method='{name}')",
        )
    if not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise BenchError(f"names '{name}' as its method, which is not a model class", where=where)
    return kind


def check_given_method(stored: str | None, given: str | None, where: object) -> None:
    """Check the method that a file names, after importing the one that the user names.

    Args:
        stored: the method of the file; None for an image encoder alone.
        given: the user's ``--method``, or None.
        where: the file.

    Raises:
        BenchError: they differ, or the file's is neither registered nor given.
    """
    from prior_bench.registry import METHODS

    if given is not None:
        if given != stored:
            what = f"its method is '{stored}', not '{given}'" if stored else "names no method"
            raise BenchError(what, where=where, fix="give the name that the file has, or leave it out")
        METHODS.get(given)  # the user's word: only now it is imported
    if stored is not None:
        permitted_method(stored, where)


DEPTHS = frozenset(
    ("depth", "depths", "layers", "num_hidden_layers", "num_layers", "block_depths", "encoder_depth")
)
"""Arguments that count layers, each of which has tensors."""


def check_depth(values: Any, tensors: int, where: object) -> None:
    """Raise BenchError if a description asks for more layers than a file has tensors: building takes hours.

    Args:
        values: the description.
        tensors: number of tensors in the file.
        where: the file.
    """
    for key, value in entries(values):
        numbers = value if isinstance(value, list | tuple) else [value]
        for number in numbers:
            if key in DEPTHS and isinstance(number, int | float) and number > tensors:
                what = f"describes a model with {key} = {number}, and the file has {tensors} tensors"
                raise BenchError(what, where=where, fix="copy or download it again")
