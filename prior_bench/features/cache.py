"""Arrays that are computed once and stored under a key, in files that are mapped into memory."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.api import RunContext
from prior_bench.errors import StorageError
from prior_bench.features.blocks import write_blocks
from prior_bench.io.atomic import CACHE_FIX, whole_file
from prior_bench.io.room import writing_to
from prior_bench.runtime import arithmetic
from prior_bench.store.changed_source import warn_of_cache

BLOCK = 8192
"""Rows from which an array is stored block by block, and rows of a block; a multiple of the batch sizes, so
that batches are the same after a block as from the start."""


def name_of(key: Mapping[str, Any]) -> str:
    """Short hash of a cache key: the name of its file."""
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:24]


def cached(
    context: RunContext, folder: str, key: dict[str, Any], compute: Callable[[], np.ndarray], source: str
) -> np.ndarray:
    """The array stored under ``key`` in ``cache_dir/folder``; it is computed and stored if it is missing.

    The kind of device and its precision are added to the key, because the numbers differ.

    The file is a safetensors file with its key and ``source`` as metadata. What was stored is mapped into
    memory; it can be changed in place, which does not change the file. A file is written atomically; if it
    cannot be read, the array is computed again, and if it cannot be written, it is not stored. An array that
    different source code computed is used, with a warning.
    """
    path, metadata = _place(context, folder, key, source)
    found = _read(path, source)
    return (
        _stored(path, np.ascontiguousarray(compute(), dtype=np.float32), metadata) if found is None else found
    )


def cached_rows(
    context: RunContext,
    folder: str,
    key: dict[str, Any],
    rows: int,
    batches: Callable[[int], Iterator[np.ndarray]],
    source: str,
    dtype: str = "float32",
) -> np.ndarray:
    """As :func:`cached`, of an array [rows, D] that is computed in batches; a large one is never in memory.

    From more than :data:`BLOCK` rows on, the file is written block by block. A killed process leaves its
    blocks, and the next one goes on after them (:mod:`prior_bench.features.blocks`).

    Args:
        context, folder, key, source: as for :func:`cached`.
        rows: rows of the array.
        batches: function from a number of rows to the batches [B, D] of all rows after these, in order, of
            the type ``dtype``.
        dtype: one of :data:`prior_bench.features.blocks.TYPES`.
    """
    path, metadata = _place(context, folder, key, source)
    found = _read(path, source, dtype, rows)
    if found is None and rows > BLOCK:
        try:
            with writing_to(path, CACHE_FIX):
                path.unlink(missing_ok=True)  # it is there and cannot be read
            write_blocks(path, rows, batches, metadata, dtype=dtype, block=BLOCK)
            found = _read(path, source, dtype, rows)
        except StorageError as error:
            _go_on_without(error)
            return together(batches(0), rows)
    return _stored(path, together(batches(0), rows), metadata) if found is None else found


def together(batches: Iterator[np.ndarray], rows: int) -> np.ndarray:
    """Return batches as one array; a list of batches, and then the array, would be twice the memory."""
    values, filled = np.empty((0, 0), dtype=np.float32), 0
    for batch in batches:
        if not filled:
            values = np.empty((rows, *batch.shape[1:]), dtype=batch.dtype)
        values[filled : filled + len(batch)] = batch
        filled += len(batch)
    assert filled == len(values)
    return values


def _place(context: RunContext, folder: str, key: dict[str, Any], source: str) -> tuple[Path, dict[str, str]]:
    """Return the file of an array, and its metadata."""
    key = {**key, **arithmetic(context.device)}
    path = context.cache_dir / folder / f"{name_of(key)}.safetensors"
    return path, {"key": json.dumps(key, sort_keys=True), "source": source}


def _read(path: Path, source: str, dtype: str = "float32", rows: int | None = None) -> np.ndarray | None:
    """Return a stored array, or None if there is none that can be read or it is another one.

    Args:
        path, source: as for :func:`cached`.
        dtype: its type.
        rows: its rows if it is an array [rows, D]; None if it may have any shape.
    """
    from safetensors import SafetensorError, safe_open

    if not os.path.isfile(path):  # nor of a cache that may not be read
        return None
    try:
        with safe_open(path, framework="pt") as file:  # torch maps the file: pages are read where used
            values, made_by = file.get_tensor("values").numpy(), file.metadata().get("source", "")
    except (SafetensorError, AttributeError, OSError, TypeError):  # NumPy has no such type as bfloat16
        return None
    if values.dtype != dtype or (rows is not None and (values.ndim != 2 or len(values) != rows)):
        return None
    if made_by != source:
        warn_of_cache(f"cached {path.parent.name} were computed", f"delete {path.parent}")
    return values


def _stored(path: Path, values: np.ndarray, metadata: dict[str, str]) -> np.ndarray:
    """Store an array, if it can be stored, and return it."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    needed = values.nbytes + len(metadata["key"])
    try:
        with whole_file(path, CACHE_FIX, errors=(SafetensorError,), needed=needed) as fresh:
            save_file({"values": values}, fresh, metadata=metadata)
    except StorageError as error:
        _go_on_without(error)
    return values


def _go_on_without(error: StorageError) -> None:
    """Say once, on stderr, that nothing is cached."""
    global _said
    if not _said:
        _said = True
        print(f"remark: going on without the cache: {error}", file=sys.stderr)


_said = False
