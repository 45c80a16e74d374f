"""Standardise features block by block, without a second copy of all of them in memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from sklearn.preprocessing import StandardScaler

ROWS = 1 << 14
"""Rows that are standardised at once; up to so many are fitted by scikit-learn itself."""
IN_MEMORY = 1 << 28
"""Bytes of standardised features from which they are in a file that is mapped into memory."""


def fit_scaler(features: np.ndarray) -> StandardScaler:
    """Return scikit-learn's scaler of features [N, D], to the last bit, in memory for some rows.

    It computes the mean and the variance in two passes with a correction (Chan, Golub & LeVeque, The American
    Statistician 37 (1983) 242-247), with a float64 copy of all features. Sums over rows are the same in
    blocks, because NumPy adds one row after another.
    """
    scaler, count = StandardScaler(), len(features)
    if count <= ROWS or features.shape[1] < 2:
        return scaler.fit(_single(features))
    scaler.fit(_single(features[:2]))  # for the attributes that do not depend on the values
    mean = _sum_of_rows(_double(block) for block in blocks(features)) / count
    correction = _sum_of_rows(_double(block) - mean for block in blocks(features))
    squares = _sum_of_rows((_double(block) - mean) ** 2 for block in blocks(features))
    variance = (squares - correction**2 / count) / count
    eps = np.finfo(np.float64).eps
    constant = variance <= count * eps * variance + (count * mean * eps) ** 2
    scaler.mean_, scaler.var_, scaler.n_samples_seen_ = mean, variance, np.float64(count)
    scaler.scale_ = np.where(constant, 1.0, np.sqrt(variance))
    return scaler


def standardised(scaler: StandardScaler, features: np.ndarray, scratch: Path | None = None) -> np.ndarray:
    """Return standardised features [N, D], float32 unless the features are float64.

    Args:
        scaler: result of :func:`fit_scaler`.
        features: [N, D]; of float16 features, float32 copies are standardised.
        scratch: folder for a file without a name that holds a large result; it is kept in memory without a
            folder, or where there is no room.
    """
    single = features.dtype in (np.float16, np.float32)
    made = _room(features.shape, np.dtype(np.float32 if single else np.float64), scratch)
    filled = 0
    for block in blocks(features):
        made[filled : filled + len(block)] = scaler.transform(_single(block))
        filled += len(block)
    return made


def blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    """Yield an array in blocks of :data:`ROWS` rows."""
    for start in range(0, len(values), ROWS):
        yield values[start : start + ROWS]


def _room(shape: tuple[int, ...], dtype: np.dtype, scratch: Path | None) -> np.ndarray:
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if scratch is not None and size >= IN_MEMORY:
        with suppress(OSError):
            scratch.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=scratch) as file:  # the mapping outlives it
                os.posix_fallocate(
                    file.fileno(), 0, size
                )  # a full disk would kill whoever writes to a mapping
                return np.memmap(file, dtype=dtype, mode="r+", shape=shape)
    return np.empty(shape, dtype=dtype)


def _sum_of_rows(parts: Iterator[np.ndarray]) -> np.ndarray:
    total = None
    for part in parts:
        total = np.add.reduce(part if total is None else np.concatenate([total[None], part]), axis=0)
    assert total is not None, "there are rows"
    return total


def _single(block: np.ndarray) -> np.ndarray:
    return block.astype(np.float32, copy=False) if block.dtype == np.float16 else block


def _double(block: np.ndarray) -> np.ndarray:
    return block.astype(np.float64)
