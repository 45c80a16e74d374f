"""Files that an earlier version may have read otherwise, told by their first bytes.

Only data sets with such files get new keys (:meth:`prior_bench.data.manifest.Manifest.fingerprint`). In doubt
a file counts as one of them: a result is then computed again, and a wrong one is never used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from prior_bench.data.images.decode import guarded
from prior_bench.data.images.formats import deep_colour, dicom, pillow, png
from prior_bench.errors import BenchError
from prior_bench.versions import MACHINERY

JPEG_SUFFIXES = (".jpg", ".jpeg")
"""Images of these names are taken for JPEG, which every version reads alike, and are not opened."""
HEADER = 1 << 16
"""Bytes of a DICOM file that are searched for its header."""
_PIXELS = (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")
"""Tag of DICOM's pixel data, little and big endian; what follows are pixels."""
_WINDOW_OR_PADDING = (
    b"\x28\x00\x50\x10", b"\x00\x28\x10\x50",  # window centre
    b"\x28\x00\x10\x30", b"\x00\x28\x30\x10",  # VOI table
    b"\x28\x00\x20\x01", b"\x00\x28\x01\x20",  # padding value
)  # fmt: skip
_BITS_STORED = b"\x28\x00\x01\x01"
_BITS = tuple(
    _BITS_STORED + kind + bytes((bits, 0))
    for kind in (b"US\x02\x00", b"\x02\x00\x00\x00")
    for bits in range(8, 33)
)
"""Eight bits or more, in explicit and in implicit little endian."""


def versions_of_files(images: Iterable[Path], masks: Iterable[Any]) -> dict[str, int]:
    """Return the declared versions, if they are not 1, of the kinds of files that are there.

    Args:
        images: files, which may be absent.
        masks: annotations of :mod:`prior_bench.data.annotations.masks`, or None.
    """
    found = {}
    if MACHINERY["image_kinds"].version > 1 and any(map(image_is_mended, images)):
        found["image_kinds"] = MACHINERY["image_kinds"].version
    files = (file for mask in masks for file in _files_of(mask))
    if MACHINERY["mask_kinds"].version > 1 and any(map(mask_is_mended, files)):
        found["mask_kinds"] = MACHINERY["mask_kinds"].version
    return found


def image_is_mended(path: Path) -> bool:
    """Whether the grey values of an image file may have changed since version 1; no for an absent file."""
    if path.suffix.lower() in JPEG_SUFFIXES:
        return False
    head = _first(path, HEADER)
    if head.startswith(png.SIGNATURE):
        depth, colours = png.depth_and_colours(head) if len(head) > 25 else (8, 0)
        return depth == 16 and colours in png.COLOURED
    if deep_colour.starts_like_tiff(head):
        return _tiff_is_mended(path)
    return dicom.is_dicom(path, head) and _dicom_is_mended(head)


def mask_is_mended(path: Path) -> bool:
    """Whether a mask file may have changed since version 1: all but grey PNG of at most 8 bits."""
    head = _first(path, 26)
    grey = len(head) > 25 and head.startswith(png.SIGNATURE) and head[25] == 0 and head[24] <= 8
    return bool(head) and not grey


def _first(path: Path, count: int) -> bytes:
    try:
        with path.open("rb") as stream:
            start = stream.read(min(count, 256))
            dicom_file = start[128:132] == b"DICM"
            return start + stream.read(count - len(start)) if dicom_file else start
    except OSError:
        return b""


def _dicom_is_mended(head: bytes) -> bool:
    ends = [at for at in (head.find(tag) for tag in _PIXELS) if at >= 0]
    if not ends:
        return True
    header = head[: min(ends)]
    known_bits = any(bits in header for bits in _BITS)
    return not known_bits or any(tag in header for tag in _WINDOW_OR_PADDING)


def _tiff_is_mended(path: Path) -> bool:
    def look() -> bool:
        with pillow.opened(path) as image:
            tags = image.tag_v2  # type: ignore[attr-defined]
            turned = tags.get(pillow.ORIENTATION, 1) != 1
            deep = image.mode.startswith(("I", "F")) and (
                not image.mode.startswith("I;16") or tags.get(262) == 0
            )
            return turned or deep or deep_colour.needed(image)

    try:
        return guarded(path, look)
    except BenchError:  # Pillow cannot open it: such a file was not read before
        return True


def _files_of(mask: Any) -> Iterator[Path]:
    """Yield the files behind an annotation: its own, and those of the masks that it wraps."""
    if hasattr(mask, "path") and hasattr(mask, "root"):
        yield Path(mask.root) / mask.path
    for one in getattr(mask, "masks", ()):
        yield from _files_of(one)
    if hasattr(mask, "original"):  # at the size of the image cache
        yield from _files_of(mask.mask)
