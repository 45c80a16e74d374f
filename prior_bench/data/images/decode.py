"""Decode a radiograph file of any common format to a greyscale uint8 array, and reduce its size.

The format is told by the content of the file, not by its name. What is done to an image and to a mask, and
what is only remarked, is in docs/images.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from prior_bench.data.images.decoded import Decoded
from prior_bench.data.images.formats import deep_colour, dicom, pillow
from prior_bench.data.images.grey import range_remark, to_grey
from prior_bench.data.images.mask import to_mask
from prior_bench.data.images.remarks import ImageRemark
from prior_bench.errors import BenchError
from prior_bench.io.what_is import no_image

T = TypeVar("T")
HEAD = 132
"""Bytes at the beginning of a file that tell its format."""


def decode_file(path: str | os.PathLike) -> np.ndarray:
    """Decode an image file as uint8 [height, width], with dense tissue bright.

    Raises:
        BenchError: the file is missing, empty, truncated, too large, or not an image in a supported format.
    """
    return to_grey(_decoded(Path(path), colours=False))[0]


def decode_with_remarks(path: str | os.PathLike) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Decode an image file as :func:`decode_file` does, and return what was guessed or looks wrong, too.

    Raises:
        BenchError: as :func:`decode_file`.
    """
    grey, remarks = to_grey(_decoded(Path(path), colours=False))
    return grey, remarks + range_remark(grey)


def decode_mask(path: str | os.PathLike) -> tuple[np.ndarray, tuple[ImageRemark, ...]]:
    """Decode a mask file as uint8 [height, width] of 0 and 1, and return what was guessed, too.

    Raises:
        BenchError: as :func:`decode_file`.
    """
    return to_mask(_decoded(Path(path), colours=True))


def size_of_file(path: str | os.PathLike) -> tuple[int, int]:
    """Return the (height, width) of the array that :func:`decode_file` returns, from the header alone.

    Raises:
        BenchError: the file is missing, has no image header, or states a size that is too large.
    """
    path = Path(path)
    head = _head(path)
    if _is_dicom(path, head):
        return guarded(path, lambda: dicom.size(path))
    try:
        return guarded(path, lambda: pillow.size(path))
    except BenchError:
        if not deep_colour.starts_like_tiff(head):
            raise
        return guarded(path, lambda: deep_colour.size(path))


def reduced(image: np.ndarray, size: int) -> np.ndarray:
    """Reduce an image, uint8 [H, W], to a longest side of at most ``size`` (antialiased bilinear).

    An image that is small enough is returned unchanged.
    """
    from PIL import Image

    scale = size / max(image.shape)
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape)
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


def _decoded(path: Path, *, colours: bool) -> Decoded:
    head = _head(path)
    if _is_dicom(path, head):
        return guarded(path, lambda: dicom.read(path))
    try:
        return guarded(path, lambda: pillow.read(path, colours=colours))
    except _Unreadable as error:
        if not deep_colour.starts_like_tiff(head):
            raise
        try:  # types of values that Pillow does not have
            return guarded(path, lambda: deep_colour.read(path))
        except _Unreadable:
            raise error from None


def _is_dicom(path: Path, head: bytes) -> bool:
    return dicom.is_dicom(path, head) or path.suffix.lower() in dicom.SUFFIXES


def _head(path: Path) -> bytes:
    """Return the first bytes of a file.

    Raises:
        BenchError: it is missing, empty, or cannot be opened.
    """
    try:
        if path.is_file():
            with path.open("rb") as stream:
                head = stream.read(HEAD)
            if head:
                return head
            raise BenchError("file is empty (0 bytes)", where=path, fix="download it again")
        if path.is_symlink():
            raise BenchError(
                f"dead link: it points to {os.readlink(path)}, which does not exist",
                where=path,
                fix="put the file there, or fix the link",
            )
        what = "is not a file" if path.exists() else "no such image file"
    except OSError as error:
        what = f"cannot be opened ({error.strerror or error})"
        raise BenchError(what, where=path, fix="give yourself permission to read it") from error
    raise BenchError(what, where=path, fix="download the file again")


class _Unreadable(BenchError):
    """No decoder can read the file."""


def guarded(path: Path, step: Callable[[], T]) -> T:
    """Call a decoder and turn what it raises into one message.

    Raises:
        BenchError: the decoder failed.
    """
    try:
        return step()
    except BenchError:
        raise
    except Exception as error:  # decoders raise nearly everything for a damaged file
        if kind := no_image(path):
            raise _Unreadable(f"not a readable image: it {kind.what}", where=path, fix=kind.fix) from error
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "cannot identify" in reason:  # Pillow adds the address of its stream
            reason = "its content is of no image format that is known"
        raise _Unreadable(
            f"not a readable image, or truncated ({reason.replace(str(path), path.name)})",
            where=path,
            fix="download the file again",
        ) from error
