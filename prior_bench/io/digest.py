"""Hashes of tensors and of descriptions, which our own files carry and which loading compares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from prior_bench.errors import BenchError


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of tensors with their names, types and shapes; the order does not matter."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


SEAL = "prior_bench_tensors"
"""Key of the hash of the tensors in the metadata of files that we write for other libraries."""


def save_sealed(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a safetensors file, as other libraries read it, that carries the hash of its tensors."""
    from safetensors.torch import save_file

    save_file(dict(tensors), path, metadata={"format": "pt", SEAL: tensors_sha256(tensors)})


def require_seal(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: str | Path) -> None:
    """Raise BenchError if a file carries the hash of other tensors than it has."""
    if SEAL in metadata and metadata[SEAL] != tensors_sha256(tensors):
        what = "damaged: its tensors are not those that were written (their sha256 differs)"
        raise BenchError(what, where=path, fix="copy or export it again")


def require_seals(folder: Path) -> None:
    """Raise BenchError if a safetensors file in a folder carries the hash of other tensors than it has."""
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()} if SEAL in metadata else {}
        except SafetensorError:  # what reads it says what is wrong
            continue
        require_seal(tensors, metadata, path)


def description_sha256(values: Any) -> str:
    """Return the SHA-256 of plain values, as JSON with sorted keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
