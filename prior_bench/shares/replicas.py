"""The weights of several processes, which must stay the same."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from torch import Tensor, nn


def digest_of(model: nn.Module, optimizer: Any = None) -> str:
    """Return a hash of the parameters of a model, and of the moments of its torch optimiser.

    Buffers are left out: batch statistics of unsynchronised layers differ between processes.
    """
    digest = hashlib.sha256()
    for name, parameter in model.named_parameters():
        digest.update(name.encode())
        _add(digest, parameter)
    for state in optimizer.state.values() if optimizer is not None else ():
        for value in state.values():
            if isinstance(value, Tensor):
                _add(digest, value)
    return digest.hexdigest()[:16]


def _add(digest: Any, tensor: Tensor) -> None:
    values = tensor.detach().cpu().contiguous().reshape(-1)
    digest.update(values.view(torch.uint8).numpy() if values.numel() else b"")
