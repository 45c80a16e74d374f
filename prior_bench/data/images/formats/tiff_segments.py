"""The strips and tiles of a TIFF file: what they unpack to is checked before tifffile unpacks them whole."""

from __future__ import annotations

import lzma
import math
import zlib
from pathlib import Path
from typing import Any

from prior_bench.errors import BenchError

FREE = 2**16
"""Bytes that a segment may have beyond twice what it unpacks to."""
DEFLATE, LZMA = (8, 32946, 50013), (34925,)
"""Numbers of compressions whose segments may unpack to a thousand times their size."""
MOST_DICTIONARY = 256 * 2**20
"""Memory that LZMA may ask for, in bytes."""


def require_bounded_segments(page: Any, path: Path) -> None:
    """Raise BenchError if a page lacks segments that its size needs, or has one that unpacks to more.

    Args:
        page: a page of tifffile.
        path: the file.
    """
    needed, there = math.prod(page.chunked), len(page.dataoffsets)
    if needed > there:
        raise _damaged(f"it has {there:,} strips or tiles, its size needs {needed:,}", path)
    size = math.prod(page.chunks) * page.dtype.itemsize
    if any(count > 2 * size + FREE for count in page.databytecounts):
        raise _damaged(f"a strip or tile is far larger than its {size:,} bytes of samples", path)
    kind = int(page.compression)
    if kind not in (*DEFLATE, *LZMA):
        return
    with path.open("rb") as file:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            file.seek(offset)
            if _unpacks_to_more(file.read(count), kind, size + FREE):
                raise _damaged(f"a strip or tile unpacks to more than its {size:,} bytes of samples", path)


def _unpacks_to_more(packed: bytes, kind: int, most: int) -> bool:
    if kind in LZMA:
        return len(lzma.LZMADecompressor(memlimit=MOST_DICTIONARY).decompress(packed, most + 1)) > most
    return len(zlib.decompressobj().decompress(packed, most + 1)) > most


def _damaged(what: str, path: Path) -> BenchError:
    return BenchError(f"damaged: {what}", where=path, fix="download it again, or leave the file out")
