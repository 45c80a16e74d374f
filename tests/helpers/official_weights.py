"""Weights by a rule that another program can follow: the same ones for an authors' module and for ours."""

from zlib import crc32

import numpy as np
import torch
from torch import Tensor


def drawn(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Values for the tensors of a state dict, from NumPy's RandomState with the CRC-32 of each name as seed.

    Matrices and kernels have the deviation (2 / inputs)^½; scales and variances are near 1, other vectors
    near 0. Integers stay.
    """
    found = {}
    for name, tensor in state.items():
        random = np.random.RandomState(crc32(name.encode()))
        if not tensor.is_floating_point():
            found[name] = tensor.clone()
            continue
        values = random.standard_normal(tuple(tensor.shape)) if tensor.ndim else random.standard_normal()
        if tensor.ndim > 1:
            inputs = max(1, tensor[0].numel())
            values = values * (2 / inputs) ** 0.5 * 0.9
        else:
            scale = name.endswith(("weight", "running_var"))
            values = np.abs(values * 0.1 + 1) if scale else values * 0.1
        found[name] = torch.as_tensor(values, dtype=tensor.dtype)
    return found


def pixels(count: int, size: int, channels: int = 3) -> Tensor:
    """Images [count, channels, size, size] in [0, 1] of squares of 16 pixels, each darker than the last."""
    values = np.random.RandomState(1).random_sample((count, channels, size // 16, size // 16))
    values = values.repeat(16, axis=2).repeat(16, axis=3) / np.arange(1, count + 1)[:, None, None, None]
    return torch.as_tensor(values, dtype=torch.float32)


def token_ids(vocabulary: int, lengths: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Ids and mask of texts of these lengths, padded with 0 to the longest."""
    random = np.random.RandomState(2)
    ids, mask = np.zeros((len(lengths), max(lengths)), int), np.zeros((len(lengths), max(lengths)), int)
    for row, length in enumerate(lengths):
        ids[row, :length], mask[row, :length] = random.randint(5, vocabulary, length), 1
    return torch.as_tensor(ids), torch.as_tensor(mask)
