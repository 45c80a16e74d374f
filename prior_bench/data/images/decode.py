"""Decode a radiograph file of any common format to a greyscale uint8 array, and reduce its size.

Images with more than 8 bits are stretched from their own range to 8 bits; 8-bit pixels are unchanged.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from pydicom import FileDataset

DICOM_SUFFIXES = (".dcm", ".dicom")
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_")
"""Prefixes of the photometric interpretations that can be read."""
CONVERT = "download the file again; if it is as published, convert it to PNG, or leave the image out"
_ORIENTATION = 0x0112  # EXIF tag; values 5 to 8 exchange width and height


def decode_file(path: str | os.PathLike) -> np.ndarray:
    """Decode an image file as uint8 [height, width], with dense tissue bright.

    JPEG and PNG files may have 8 or 16 bits; colour is converted to grey and the EXIF orientation is applied.
    For DICOM files, the rescale and the VOI window (if present) are applied, and MONOCHROME1 is inverted.

    Raises:
        BenchError: the file is missing, empty, truncated, or not an image in a supported format.
    """
    path = Path(path)
    _require_file(path)
    return _read_dicom(path) if _is_dicom(path) else _read_pillow(path)


def size_of_file(path: str | os.PathLike) -> tuple[int, int]:
    """Return the (height, width) of the array that :func:`decode_file` returns, from the header alone.

    Raises:
        BenchError: the file is missing or has no image header.
    """
    path = Path(path)
    _require_file(path)
    if _is_dicom(path):
        header = _dicom_dataset(path, pixels=False)
        try:
            return int(header.Rows), int(header.Columns)
        except AttributeError:
            raise BenchError(
                "DICOM file contains no image or is truncated", where=path, fix="download it again"
            ) from None
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) >= 5
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from error
    return (width, height) if turned else (height, width)


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


def _require_file(path: Path) -> None:
    if path.is_file():
        if path.stat().st_size == 0:
            raise BenchError("file is empty (0 bytes)", where=path, fix="download it again")
        return
    if path.is_symlink():
        target = os.readlink(path)
        raise BenchError(
            f"dead link: it points to {target}, which does not exist",
            where=path,
            fix="put the file there, or fix the link",
        )
    raise BenchError(
        "no such image file" if not path.exists() else "is not a file",
        where=path,
        fix="download the file again",
    )


def _unreadable(path: Path, error: Exception) -> BenchError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BenchError(
        f"not a readable image, or truncated ({reason.replace(str(path), path.name)})",
        where=path,
        fix="download the file again",
    )


# --- JPEG, PNG and other formats of Pillow -----------------------------------------------------------


def _read_pillow(path: Path) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            if image.format == "JPEG":
                image.draft("L", image.size)  # the decoder then skips colour, which is twice as fast
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):
                return stretch(np.asarray(upright))
            return np.array(upright.convert("L"))
    except (OSError, SyntaxError, ValueError) as error:
        raise _unreadable(path, error) from error


def stretch(pixels: np.ndarray) -> np.ndarray:
    """Map the image's own range linearly to 0..255, uint8; a constant image becomes 0."""
    pixels = np.asarray(pixels, dtype=np.float32)
    low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return np.zeros(pixels.shape, np.uint8)
    return np.rint((pixels - low) * (255.0 / (high - low))).astype(np.uint8)


# --- DICOM --------------------------------------------------------------------------------------------


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    if path.suffix:
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _dicom_dataset(path: Path, *, pixels: bool) -> FileDataset:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(path, stop_before_pixels=not pixels)
    except (InvalidDicomError, EOFError, ValueError, OSError) as error:
        raise BenchError("not a DICOM file", where=path, fix="download it again") from error


def _read_dicom(path: Path) -> np.ndarray:
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    data = _dicom_dataset(path, pixels=True)
    if "PixelData" not in data:
        raise BenchError("DICOM file contains no image or is truncated", where=path, fix="download it again")
    kind = str(data.get("PhotometricInterpretation", "(none)"))
    if int(data.get("NumberOfFrames") or 1) > 1:
        raise BenchError(f"contains {data.NumberOfFrames} frames instead of one", where=path, fix=CONVERT)
    if not kind.startswith(PHOTOMETRIC):
        raise BenchError(f"photometric interpretation {kind} is not supported", where=path, fix=CONVERT)
    try:
        pixels = data.pixel_array
    except (RuntimeError, ValueError, AttributeError, KeyError, NotImplementedError, OSError) as error:
        syntax = getattr(data.file_meta, "TransferSyntaxUID", None)
        raise BenchError(
            f"pixels cannot be decoded (transfer syntax {getattr(syntax, 'name', 'unknown')}: "
            f"{str(error).splitlines()[0]})",
            where=path,
            fix="download the file again; rarer compressions need `pip install pylibjpeg[all]`",
        ) from error
    if pixels.ndim == 3:  # pydicom has turned YBR into RGB by now
        grey = pixels[..., :3] @ np.array([0.299, 0.587, 0.114])
        return np.rint(grey).astype(np.uint8) if pixels.dtype == np.uint8 else stretch(grey)
    try:
        if data.get("RescaleSlope") == 0:
            raise ValueError("the rescale slope is 0")
        values = apply_voi_lut(apply_modality_lut(pixels, data), data)
    except (ValueError, TypeError, AttributeError, KeyError, IndexError, NotImplementedError) as error:
        reason = (str(error) or repr(error)).splitlines()[0]
        raise BenchError(
            f"rescale or window in the DICOM header cannot be applied ({reason})", where=path, fix=CONVERT
        ) from error
    grey = values if values is pixels and pixels.dtype == np.uint8 else stretch(values)
    return 255 - grey if kind == "MONOCHROME1" else np.ascontiguousarray(grey)
