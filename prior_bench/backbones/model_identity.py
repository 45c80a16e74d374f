"""The identity of a model in memory: its weights, its structure, and the code of its own classes."""

from __future__ import annotations

import hashlib
import inspect
import re
import sys
import sysconfig
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from prior_bench.bundled import plain_name
from prior_bench.store.source_hash import code_version, used_modules

ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Pattern of an object's memory address, which is not part of a model."""


def weights_hash(module: nn.Module) -> str:
    """Return the first 32 digits of the SHA-256 of parameters and buffers with names, types and shapes."""
    digest = hashlib.sha256()
    for name, value in sorted(module.state_dict().items()):
        if isinstance(value, torch.Tensor):
            tensor = value.detach().cpu().contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
        else:
            digest.update(f"{name} {value!r}\n".encode())
    return digest.hexdigest()[:32]


def code_of_model(module: nn.Module) -> tuple[str, ...]:
    """Return strings that change with a model's structure, settings and code, as far as these are visible.

    The strings are the module's ``repr``, the plain attributes of every sub-module, and one entry for each
    class. For classes of installed packages and of prior-bench, it is their name and declared version. For
    other classes, it is the source code of their file and of its imports from the same folder or package. For
    classes defined in a notebook, it is the source of the class alone, without functions that it calls.
    """
    structure = ADDRESS.sub("", repr(module))
    settings = [f"{name}: {_plain_attributes(part)}" for name, part in module.named_modules()]
    return structure, "\n".join(settings), *_sources({type(part) for part in module.modules()})


def _plain_attributes(part: nn.Module) -> dict[str, Any]:
    def is_plain(value: Any) -> bool:
        if isinstance(value, (tuple, list)):
            return all(map(is_plain, value))
        return value is None or isinstance(value, (bool, int, float, str))

    kept = {name: value for name, value in vars(part).items() if name[0] != "_" and name != "training"}
    return {name: value for name, value in sorted(kept.items()) if is_plain(value)}


def _sources(classes: Iterable[type]) -> list[str]:
    found = []
    for one in sorted(classes, key=lambda c: (c.__module__, c.__qualname__)):
        name = f"{one.__module__}.{one.__qualname__}"
        if one.__module__ == "__main__":
            found.append(f"{name} {_source(one)}")
        elif _is_installed(one.__module__):
            found.append(f"{plain_name(name)} {getattr(one, 'version', '')}")
        else:
            found.append(f"{name} {code_version(*used_modules(one.__module__))}")
    return found


def _is_installed(module: str) -> bool:
    if module.partition(".")[0] == "prior_bench":
        return True
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    places = {sysconfig.get_path(kind) for kind in ("purelib", "platlib", "stdlib")}
    return any(file.startswith(f"{place}/") for place in places) or "/site-packages/" in file


def _source(one: type) -> str:
    try:
        return inspect.getsource(one)
    except (OSError, TypeError):
        return "(source not known)"


def other_than_noted(noted: dict[str, Any], sha256: str, identity: str | None, text: str | None) -> str:
    """Return why a record may have other weights than a file; empty if it has the same.

    Args:
        noted: the record's description of its backbone.
        sha256: hash of the weights file.
        identity: identity of the pre-training that made the file, if it states one.
        text: hash of the content of a text encoder in another place, if the user gave one.
    """
    if text is not None and noted.get("text_content") != text:
        return "the record does not state the same content of the text encoder"
    if "sha256" in noted:
        return "" if noted["sha256"] == sha256 else "the weights file has changed since"
    same = identity is not None and identity == noted.get("identity")
    return "" if same else "the record does not state the content of the weights file"
