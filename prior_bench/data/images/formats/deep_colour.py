"""Decode PNG and TIFF files whose samples Pillow would cut to 8 bits, misread, or not read at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.data.images.decoded import Decoded, known_orientation, require_bounded
from prior_bench.data.images.formats.tiff_segments import require_bounded_segments
from prior_bench.data.images.remarks import ImageRemark
from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from PIL.Image import Image

_BITS, _SAMPLES, _SAMPLE_FORMAT = 258, 277, 339  # of TIFF
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

CONVERT = "convert it to PNG of 8 or 16 bits"


class NoCodecError(BenchError):
    """A compression that tifffile does not read without a further package."""


def needed(image: Image) -> bool:
    """Whether an opened file has deep colours, signed values, integers of 32 bits or floats.

    Pillow cuts deep colours to 8 bits, has no signed bytes and no unsigned integers of 32 bits, and mixes up
    the bytes of some compressed files.
    """
    if image.format == "PNG":
        tiles = getattr(image, "tile", None) or [None]
        rawmode = str(getattr(tiles[0], "args", ""))
        return ";16B" in rawmode and not rawmode.startswith("I")
    if image.format != "TIFF":
        return False
    tags = image.tag_v2  # type: ignore[attr-defined]
    bits, kinds = tags.get(_BITS, (1,)), tags.get(_SAMPLE_FORMAT, (1,))
    coloured = len(bits) > 1 or tags.get(_SAMPLES, 1) > 1
    return set(kinds) != {1} or max(bits) > 16 or (max(bits) > 8 and coloured)


def read(path: Path, image: Image | None = None) -> Decoded:
    """Decode a PNG file of 16-bit colours, or a TIFF file.

    Args:
        path: the file.
        image: the same file, opened by Pillow; None if Pillow cannot.

    Raises:
        BenchError: the image is too large, or of a kind that is not supported.
        Exception: whatever the decoder raises for a damaged file.
    """
    if image is not None and image.format == "PNG":
        return _png(path, image)
    return _tiff(path, image)


def _png(path: Path, image: Image) -> Decoded:
    width, height = image.size
    require_bounded(path, height, width, 8)
    orientation, remarks = known_orientation(image.getexif().get(0x0112))
    pages = getattr(image, "n_frames", 1)
    image.load()  # raises if the file is damaged, where OpenCV returns a part of the picture
    colours, alpha = _by_opencv(path)
    if pages > 1:
        remarks += (ImageRemark("pages", f"the first of {pages} pages is read"),)
    return Decoded(colours, alpha=alpha, orientation=orientation, remarks=remarks)


def _by_opencv(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return colours and the alpha channel of a file of 16 bits that is known to be whole."""
    import cv2

    stored = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None or stored.dtype != np.uint16:
        raise ValueError("16-bit colours cannot be decoded")
    colours = stored if stored.ndim == 2 else stored[..., 2::-1]
    return colours, stored[..., 3] if stored.ndim == 3 and stored.shape[2] == 4 else None


def _tiff(path: Path, image: Image | None) -> Decoded:
    from tifffile import PHOTOMETRIC, TiffFile

    with TiffFile(path) as tiff:
        page = tiff.pages.first
        if page.dtype is None:
            raise unsupported(path, f"values of {page.bitspersample} bits")
        bytes_per_pixel = int(page.samplesperpixel) * page.dtype.itemsize
        require_bounded(path, int(page.imagelength), int(page.imagewidth), bytes_per_pixel)
        kind = page.photometric
        known = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.RGB)
        if page.dtype.kind not in "uifb" or kind not in known:
            raise unsupported(path, f"{page.dtype} values, photometric interpretation {int(kind)}")
        if page.ndim > 3 or set(page.axes) - set("YXS"):
            raise unsupported(path, f"an array with axes {page.axes}")
        values = _samples(page, path, image)
        tag = page.tags.get(274)
        orientation, remarks = known_orientation(int(tag.value) if tag is not None else None)
        count = len(tiff.pages)
    if count > 1:
        remarks += (ImageRemark("pages", f"the first of {count} pages is read"),)
    if values.ndim == 3 and page.axes.startswith("S") and values.shape == page.shape:
        values = np.moveaxis(values, 0, -1)
    wanted = 3 if kind == PHOTOMETRIC.RGB else 1
    if values.ndim == 2:
        values = values[..., None]
    if values.shape[-1] < wanted:
        raise unsupported(path, f"colours of {values.shape[-1]} samples")
    extra = values.shape[-1] > wanted and any(int(one) in (1, 2) for one in page.extrasamples[:1])
    if values.shape[-1] > wanted and not extra:
        what = f"{values.shape[-1] - wanted} further samples per pixel are left out"
        remarks += (ImageRemark("alpha", what),)
    pixels = values[..., :wanted] if wanted == 3 else values[..., 0]
    return Decoded(
        pixels,
        exact=pixels.dtype == np.uint8,
        alpha=values[..., wanted] if extra else None,
        inverted=kind == PHOTOMETRIC.MINISWHITE,
        orientation=orientation,
        remarks=remarks,
    )


def _samples(page: Any, path: Path, image: Image | None) -> np.ndarray:
    """Return stored samples. Compressions that tifffile lacks are left to OpenCV, for 16-bit colours."""
    try:
        require_bounded_segments(page, path)
        return page.asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        if image is None or page.dtype != np.uint16 or page.photometric != 2:
            what = f"{page.dtype} values compressed by {page.compression.name} are not supported"
            raise NoCodecError(what, where=path, fix=CONVERT) from error
        image.load()  # raises if the file is damaged, where OpenCV returns a part of the picture
        colours, alpha = _by_opencv(path)
        return colours if alpha is None else np.dstack([colours, alpha])


def unsupported(path: Path, what: str) -> BenchError:
    """Return the error for a whole file of a kind that is not read."""
    return BenchError(f"{what} are not supported", where=path, fix=CONVERT)


def starts_like_tiff(head: bytes) -> bool:
    """Whether a file begins as TIFF files do."""
    return head.startswith(TIFF_STARTS)


def size(path: Path) -> tuple[int, int]:
    """Return (height, width), as shown, of a TIFF file that Pillow cannot open."""
    from tifffile import TiffFile

    with TiffFile(path) as tiff:
        page = tiff.pages.first
        height, width, tag = int(page.imagelength), int(page.imagewidth), page.tags.get(274)
    require_bounded(path, height, width)
    orientation, _ = known_orientation(int(tag.value) if tag is not None else None)
    return (width, height) if orientation >= 5 else (height, width)
