"""Arrays that are written block by block to the file from which they are then mapped into memory.

The file grows in a folder beside its place, ``NAME.growing``, with a line for each complete block in
``blocks.jsonl``. A killed process leaves the folder; the next one checks the blocks that are there and goes
on after the last good one. The complete file is moved to its place. No more than a block is in memory.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np

from prior_bench.io.atomic import CACHE_FIX
from prior_bench.io.bounded import MIB
from prior_bench.io.locks import one_at_a_time
from prior_bench.io.room import writing_to

GROWING = ".growing"
"""Suffix of the folder in which an array grows."""
VALUES, DONE = "values", "blocks.jsonl"
"""Files in this folder: the array, with the header of a safetensors file; and its complete blocks."""
MOST_COLUMNS = 1 << 20
"""Largest width of a vector that is believed."""
MOST_LINES = 16 * MIB
"""Bytes of the list of blocks that are read; a block of thousands of rows takes fifty."""
TYPES = {"float32": "F32", "float16": "F16"}
"""Types of stored arrays, as safetensors names them."""

Batches = Callable[[int], Iterator[np.ndarray]]
"""Function from the number of rows that are there to the batches [B, D] of all further rows, in order."""


def write_blocks(
    path: Path, rows: int, batches: Batches, metadata: dict[str, str], *, dtype: str, block: int
) -> None:
    """Write an array [rows, D] to a safetensors file with the tensor ``values``; does nothing if it is there.

    If another process writes it, its end is waited for.

    Args:
        path: the file. One that is there and cannot be read is to be removed first.
        rows: rows of the array.
        batches: computes the rows; a block ends with a batch.
        metadata: of the file. Blocks of a killed process count only if theirs is the same.
        dtype: one of :data:`TYPES`.
        block: rows of a block, at least.

    Raises:
        StorageError: the file cannot be written.
    """
    folder = path.with_name(path.name + GROWING)
    for place in (folder, folder / VALUES, folder / DONE):
        if place.is_symlink() or place.is_fifo():  # it would be written through, or waited for
            with writing_to(place, CACHE_FIX):
                place.unlink()
    try:
        with one_at_a_time(folder, "waiting for features that another process computes", fix=CACHE_FIX):
            try:
                if not path.is_file():
                    _Growing(folder, rows, metadata, dtype).fill(batches, block)
                    with writing_to(path, CACHE_FIX):
                        os.replace(folder / VALUES, path)
            except Exception:  # no room, or an image that cannot be read; a signal leaves the blocks
                _remove(folder)
                raise
            _remove(folder)
    finally:
        with suppress(OSError):  # blocks are left in it, or another process waits for it
            folder.rmdir()


def _remove(folder: Path) -> None:
    with suppress(OSError):
        for name in (VALUES, DONE):
            (folder / name).unlink(missing_ok=True)


def _checksum(file: IO[bytes], length: int) -> int:
    """Return the CRC-32 of the next bytes, which a foreign line may have stated to be gigabytes."""
    crc = 0
    while length and (part := file.read(min(length, MIB))):
        crc, length = zlib.crc32(part, crc), length - len(part)
    return crc


class _Growing:
    """An array [rows, D] that grows in a folder which this process has claimed."""

    def __init__(self, folder: Path, rows: int, metadata: dict[str, str], dtype: str):
        self.values, self.lines = folder / VALUES, folder / DONE
        self.rows, self.metadata, self.dtype = rows, metadata, np.dtype(dtype)
        self.done = self.columns = 0

    def fill(self, batches: Batches, block: int) -> None:
        """Go on after the good blocks that are there, until all rows are."""
        self._find_blocks()
        waiting: list[np.ndarray] = []
        for batch in batches(self.done):
            if not self.columns:
                self.columns = batch.shape[1]
            waiting.append(batch.astype(self.dtype, copy=False))
            count = sum(map(len, waiting))
            if count >= block or self.done + count == self.rows:
                size = self.rows * self.columns * self.dtype.itemsize
                with writing_to(self.values, CACHE_FIX, needed=size):
                    self._append(np.concatenate(waiting))
                waiting.clear()
        assert self.done == self.rows, "all rows are computed"

    def _append(self, values: np.ndarray) -> None:
        """Write a block and, once it is on disk, its line."""
        if not self.done:
            self.lines.write_bytes(b"")
            self.values.write_bytes(self._header())
        content = np.ascontiguousarray(values).data.cast("B")
        with open(self.values, "r+b") as file:
            file.truncate(self._end())  # what a killed process wrote of a block
            file.seek(self._end())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        line = {"rows": len(values), "columns": self.columns, "crc": zlib.crc32(content)}
        with open(self.lines, "a") as lines:
            lines.write(json.dumps(line) + "\n")
        self.done += len(values)

    def _find_blocks(self) -> None:
        """Take the blocks that are there up to the first one that is not what its line says."""
        good: list[str] = []
        damaged = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)
        with suppress(*damaged), open(self.values, "rb") as file, open(self.lines, "rb") as lines:
            size = os.fstat(file.fileno()).st_size
            for line in lines.read(MOST_LINES).decode().splitlines():
                found = json.loads(line)
                rows, columns = int(found["rows"]), int(found["columns"])
                if not good:
                    self.columns = columns
                    header = self._header()
                    if not 0 < columns <= MOST_COLUMNS or file.read(len(header)) != header:
                        break
                if columns != self.columns or not 0 < rows <= self.rows - self.done:
                    break
                if (length := rows * columns * self.dtype.itemsize) > size - file.tell():
                    break
                if _checksum(file, length) != found["crc"]:
                    break
                good.append(line + "\n")
                self.done += rows
        if good:
            self.lines.write_text("".join(good))
        else:
            self.columns = 0

    def _end(self) -> int:
        return len(self._header()) + self.done * self.columns * self.dtype.itemsize

    def _header(self) -> bytes:
        """Return the beginning of a safetensors file: eight bytes of length, and JSON padded to eight."""
        size = self.rows * self.columns * self.dtype.itemsize
        shape = [self.rows, self.columns]
        tensor = {"dtype": TYPES[str(self.dtype)], "shape": shape, "data_offsets": [0, size]}
        text = json.dumps({"__metadata__": self.metadata, "values": tensor}, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text
