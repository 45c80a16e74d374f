"""Check that the description of a model in a file cannot make us read, fetch or run anything else.

The metadata of our files and the ``config.json`` of a folder may come from strangers. They may choose an
architecture. But timm and transformers, which build it, would accept more than that.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from prior_bench.errors import BenchError

IMAGE_ENCODER = frozenset(("model_name", "in_channels", "pool", "local_stage", "model_args", "input"))
"""What ``ImageEncoder.arguments`` has; ``pretrained`` is not among it."""
TEXT_ENCODER = frozenset(("config", "max_tokens", "pool", "frozen_layers", "last_layers", "attentions"))
"""Arguments of TextEncoder that a file may set. ``name`` is not allowed: it can be a folder or a hub name."""


def check_image_encoder(arguments: dict[str, Any], where: object) -> None:
    """Raise BenchError if arguments of ImageEncoder name other files or weights to download."""
    import timm

    own = inspect.signature(timm.create_model).parameters  # checkpoint_path, pretrained, cache_dir…
    given = arguments.get("model_args") or {}
    refused = sorted(arguments.keys() - IMAGE_ENCODER)
    refused += [f"model_args.{key}" for key in given if key in own or key.startswith("pretrained")]
    _refuse(refused, where)


def check_text_encoder(arguments: dict[str, Any], where: object) -> None:
    """Raise BenchError if arguments of TextEncoder name a folder, or a model or code on the hub."""
    refused = sorted(arguments.keys() - TEXT_ENCODER)
    refused += [
        f"config.{key}" for key, value in _entries(arguments.get("config")) if _names_code(key, value)
    ]
    _refuse(refused, where)


def check_method(kind: Any, name: str, where: object) -> None:
    """Raise BenchError if a name ``module:attribute`` does not refer to a model class."""
    from torch import nn

    if ":" in name and not (isinstance(kind, type) and issubclass(kind, nn.Module)):
        raise BenchError(f"names '{name}' as its method, which is not a model class", where=where)


def _names_code(key: str, value: Any) -> bool:
    if "attn_implementation" in key:  # it may be a repository of kernels
        return isinstance(value, str | dict) and value not in ("eager", "sdpa")
    return key == "auto_map"


def _entries(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a dict and of all nested dicts."""
    if isinstance(values, dict):
        yield from values.items()
        for value in values.values():
            yield from _entries(value)


def _refuse(names: list[str], where: object) -> None:
    if names:
        raise BenchError(
            f"describes its model with keys that a file may not set: {', '.join(names)}",
            where=where,
            fix="remove these entries, and use the file only if you trust its source",
        )
