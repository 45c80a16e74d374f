"""DICOM files whose whole content is deflated: how much it is, before pydicom unpacks all of it."""

from __future__ import annotations

import zlib
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.bounded import UNPACKED_RATIO, most_unpacked


def require_bounded_content(path: Path) -> None:
    """Raise BenchError if a DICOM file is deflated and unpacks to far more than it has.

    pydicom raises nearly anything if the file is damaged.
    """
    from pydicom.filereader import _read_file_meta_info, read_preamble
    from pydicom.uid import DeflatedExplicitVRLittleEndian

    with path.open("rb") as file:
        read_preamble(file, force=True)
        if _read_file_meta_info(file).get("TransferSyntaxUID") != DeflatedExplicitVRLittleEndian:
            return
        packed = file.read()
    most, taken, unpacking = most_unpacked(len(packed)), 0, zlib.decompressobj(-zlib.MAX_WBITS)
    while packed and not unpacking.eof:
        taken += len(unpacking.decompress(packed, PART))
        packed = unpacking.unconsumed_tail
        if taken > most:
            what = f"its deflated content unpacks to more than {UNPACKED_RATIO} times its size"
            raise BenchError(what, where=path, fix="leave the file out")


PART = 16 * 2**20
"""Bytes that are unpacked at once."""
