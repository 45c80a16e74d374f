"""The size that the compressed pixels of a DICOM file state, which may differ from that of its header."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from pydicom import Dataset

MOST_LARGER = 2
"""How many times as many pixels, or bytes, a frame may have as the header says."""
FREE_PIXELS, FREE_BYTES = 2**16, 2**20
"""Pixels and bytes beyond that: of padding, profiles and comments."""
MOST_SAMPLES = 4
"""Most samples of a pixel."""
_START, _NEVER_SIZE = b"\xff\xd8", (0xC4, 0xC8, 0xCC)
_JPEG_2000 = b"\xff\x4f\xff\x51"


def require_stated_size(data: Dataset, height: int, width: int, path: Path) -> None:
    """Check the first frame of encapsulated pixels, which a decoder unpacks to what the frame says.

    Raises:
        BenchError: it is far larger than the header says.
    """
    from pydicom.encaps import generate_frames

    syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
    if syntax is None or not syntax.is_encapsulated or "PixelData" not in data:
        return
    frame = next(generate_frames(data.PixelData, number_of_frames=1), b"")
    samples = max(1, int(data.get("SamplesPerPixel") or 1))
    unpacked = height * width * samples * math.ceil(int(data.get("BitsAllocated") or 8) / 8)
    rows, columns, kinds = stated_size(frame)
    if (
        rows * columns > MOST_LARGER * height * width + FREE_PIXELS
        or kinds > MOST_SAMPLES
        or len(frame) > MOST_LARGER * unpacked + FREE_BYTES
    ):
        told = f"{rows}x{columns} of {kinds} samples in " if rows else ""
        what = f"its compressed pixels are {told}{len(frame):,} bytes, the header says {height}x{width}"
        raise BenchError(what, where=path, fix="download it again, or leave the file out")


def stated_size(frame: bytes) -> tuple[int, int, int]:
    """Return height, width and samples per pixel that a JPEG, JPEG-LS or JPEG 2000 stream states.

    Zeros stand for another compression, and for a damaged stream.
    """
    place = frame.find(_JPEG_2000)
    if place >= 0 and len(frame) >= place + 42:
        width, height = struct.unpack_from(">II", frame, place + 8)
        return height, width, struct.unpack_from(">H", frame, place + 40)[0]
    place = frame.find(_START)
    while place >= 0 and place + 10 <= len(frame):
        marker = frame[place + 1]
        if frame[place] != 0xFF or marker == 0xFF:
            place += 1
        elif marker == 0xD8:
            place += 2
        elif (0xC0 <= marker <= 0xCF and marker not in _NEVER_SIZE) or marker == 0xF7:
            height, width, samples = struct.unpack_from(">HHB", frame, place + 5)
            return height, width, samples
        else:
            place += 2 + max(2, struct.unpack_from(">H", frame, place + 2)[0])
    return 0, 0, 0
