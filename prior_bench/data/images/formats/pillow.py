"""Decode JPEG, PNG, TIFF and the other formats of Pillow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.data.images.decoded import MOST_PIXELS, Decoded, known_orientation, require_bounded
from prior_bench.data.images.formats import deep_colour, png
from prior_bench.data.images.remarks import ImageRemark

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = (
    "JPEG", "PNG", "TIFF", "BMP", "DIB", "GIF", "WEBP", "AVIF", "JPEG2000",
    "PPM", "TGA", "PCX", "SGI", "ICO", "PSD", "IM", "XBM", "MSP", "SUN",
)  # fmt: skip
"""Formats that are tried. Those that run a program (EPS) or hold no pixels are not."""
LOSSY = ("JPEG", "MPO", "WEBP", "AVIF", "JPEG2000")
"""Formats whose values may be changed by compression; some of their files are lossless."""
ORIENTATION = 0x0112
"""Tag of EXIF and TIFF; values 5 to 8 exchange width and height."""
_BITS, _INVERTED, _SAMPLE_FORMAT = 258, 262, 339  # tags of TIFF


def read(path: Path, *, colours: bool) -> Decoded:
    """Decode a file.

    Args:
        path: an existing file.
        colours: whether to return colours as they are, or as Pillow's luminance, which is faster.

    Raises:
        BenchError: the image is too large, or a checksum is wrong.
        Exception: whatever Pillow raises for a damaged file.
    """
    with opened(path) as image:
        if image.format == "PNG":
            png.require_intact(path)
        if deep_colour.needed(image):
            try:
                return deep_colour.read(path, image)
            except deep_colour.NoCodecError:
                if not _holds_deep_values(image):
                    raise
        if image.format == "JPEG" and not colours:
            image.draft("L", image.size)  # the decoder then skips colour, which is twice as fast
        remarks = pages(image)
        turned = image.getexif().get(ORIENTATION) if image.format != "TIFF" else None  # Pillow has turned it
        image.load()
        orientation, unknown = known_orientation(turned)
        return Decoded(
            **_values(image, colours),
            inverted=_inverted(image),
            orientation=orientation,
            lossy=image.format in LOSSY,
            remarks=remarks + unknown,
        )


def size(path: Path) -> tuple[int, int]:
    """Return (height, width), as shown, from the header.

    Raises:
        BenchError: the image is too large.
        Exception: whatever Pillow raises for a damaged file.
    """
    with opened(path) as image:
        width, height = image.size
        orientation, _ = known_orientation(image.getexif().get(ORIENTATION))
        turned = orientation >= 5 and image.format != "TIFF"
    return (width, height) if turned else (height, width)


@contextmanager
def opened(path: Path) -> Iterator[Image]:
    """Open a file whose size is within bounds. A stream is given to Pillow, not the path: Pillow maps files
    into memory by path, and then mixes up the rows of TIFF files that are stored turned."""
    from PIL import Image

    if Image.MAX_IMAGE_PIXELS is not None:  # our own bound is checked below, with a message that helps
        Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS, MOST_PIXELS)
    with path.open("rb") as stream:
        formats = _known_formats()
        try:
            image = Image.open(stream, formats=formats)
        except Image.DecompressionBombError:
            Image.MAX_IMAGE_PIXELS, before = None, Image.MAX_IMAGE_PIXELS
            try:
                image = Image.open(stream, formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = before
        with image:
            width, height = image.size
            require_bounded(path, height, width, _bytes_per_pixel(image))
            yield image


@cache
def _known_formats() -> tuple[str, ...]:
    """Return the formats of :data:`FORMATS` that this installation of Pillow has."""
    from PIL import Image

    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


def pages(image: Image) -> tuple[ImageRemark, ...]:
    """Return a remark if the file has more than one page. A second picture of a camera's JPEG is none."""
    count = getattr(image, "n_frames", 1) if image.format not in ("MPO", "PSD") else 1
    return (ImageRemark("pages", f"the first of {count} pages is read"),) if count > 1 else ()


def _bytes_per_pixel(image: Image) -> int:
    sample = (
        4
        if image.mode.startswith(("I", "F")) and ";16" not in image.mode
        else 2
        if ";16" in image.mode
        else 1
    )
    return sample * len(image.getbands())


def _values(image: Image, colours: bool) -> dict[str, Any]:
    """Return ``pixels`` and what belongs to them, as arguments of Decoded."""
    mode = image.mode
    if mode.startswith(("I", "F")):
        pixels = np.asarray(image)
        if image.format == "TIFF" and image.mode == "I" and _is_unsigned(image):
            pixels = pixels.view(np.uint32)  # which Pillow does not have
        return {"pixels": pixels.astype(pixels.dtype.newbyteorder("="))}
    found: dict[str, Any] = {"exact": True}
    if mode == "P":
        found["indices"] = np.asarray(image)
        if "transparency" in image.info:
            found["alpha"] = np.asarray(image.convert("RGBA").getchannel("A"))
    elif "transparency" in image.info and mode in ("1", "L", "RGB"):
        found["alpha"] = np.asarray(image.convert("LA" if mode != "RGB" else "RGBA").getchannel("A"))
    elif image.getbands()[-1] in ("A", "a"):
        found["alpha"] = np.asarray(image.getchannel(image.getbands()[-1]))
    if mode == "LAB":
        image = image.getchannel("L")
    grey = mode in ("1", "L", "LA", "La", "LAB")
    found["pixels"] = np.array(image.convert("L" if grey or not colours else "RGB"))
    return found


def _holds_deep_values(image: Image) -> bool:
    """Whether Pillow reads a compressed TIFF file of one deep sample rightly: not in big endian."""
    return image.mode in ("I", "F") and image.tag_v2.prefix != b"MM"  # type: ignore[attr-defined]


def _is_unsigned(image: Image) -> bool:
    tags = image.tag_v2  # type: ignore[attr-defined]
    return tags.get(_BITS) == (32,) and set(tags.get(_SAMPLE_FORMAT, (1,))) == {1}


def _inverted(image: Image) -> bool:
    """Whether 0 is white: Pillow applies WhiteIsZero of TIFF to values of at most 8 bits alone."""
    deep = image.mode.startswith(("I", "F"))
    return deep and image.format == "TIFF" and image.tag_v2.get(_INVERTED) == 0  # type: ignore[attr-defined]
