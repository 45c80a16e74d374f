"""What the bytes of a PNG file say: depth and colours, and whether its checksums are right."""

from __future__ import annotations

import zlib
from pathlib import Path

from prior_bench.errors import BenchError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"eXIf")
"""Chunks that determine pixels."""
COLOURED = (2, 4, 6)
"""Colour types with more than one sample per pixel: RGB, grey with alpha, RGB with alpha."""


def depth_and_colours(head: bytes) -> tuple[int, int]:
    """Return the bits per sample and the colour type from the first 26 bytes of a file."""
    return head[24], head[25]


def require_intact(path: Path) -> None:
    """Check the checksums of the chunks that determine pixels; Pillow skips those of pixel data.

    Raises:
        BenchError: a checksum is wrong, or the file is cut off.
    """
    with path.open("rb") as stream:
        stream.seek(len(SIGNATURE))
        while head := stream.read(8):
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            body = stream.read(length)
            stated = stream.read(4)
            if len(body) < length or len(stated) < 4:
                raise _damaged(path, "it ends too early")
            if kind in CRITICAL and zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(stated, "big"):
                raise _damaged(path, f"the checksum of its part {kind.decode('ascii')} is wrong")
            if kind == b"IEND":
                return
    raise _damaged(path, "it ends too early")


def _damaged(path: Path, why: str) -> BenchError:
    return BenchError(
        f"not a readable image, or truncated ({why})", where=path, fix="download the file again"
    )
