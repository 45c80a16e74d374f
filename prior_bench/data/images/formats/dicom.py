"""Decode DICOM files; which files are DICOM is told by their content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from prior_bench.data.images.decoded import Decoded, require_bounded
from prior_bench.data.images.formats.deflated import require_bounded_content
from prior_bench.data.images.formats.frame_size import require_stated_size
from prior_bench.data.images.remarks import ImageRemark
from prior_bench.errors import BenchError
from prior_bench.io.what_is import no_image

if TYPE_CHECKING:
    from pydicom import Dataset, FileDataset

SUFFIXES = (".dcm", ".dicom")
PHOTOMETRIC = ("MONOCHROME1", "MONOCHROME2", "RGB", "YBR_")
"""Prefixes of the photometric interpretations that can be read."""
CONVERT = "download the file again; if it is as published, convert it to PNG, or leave the image out"
PLUG_INS = "pip install 'prior-bench[dicom]'"
"""What adds the decoders of rarer compressions."""
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
BYTES_OF_FLOATS = 18
"""Bytes per pixel that are counted for a rescale and a window in 64-bit floats: at most 50 million pixels."""
_MAGIC, _PREAMBLE = b"DICM", 128
_WITHOUT_PREAMBLE = (
    b"\x02\x00\x00\x00UL",
    b"\x08\x00\x05\x00CS",
    b"\x08\x00\x08\x00CS",
    b"\x08\x00\x16\x00UI",
)


def is_dicom(path: Path, head: bytes) -> bool:
    """Whether a file is DICOM by its first 132 bytes, or says so in its name and is of no other kind."""
    return head[_PREAMBLE : _PREAMBLE + 4] == _MAGIC or head.startswith(_WITHOUT_PREAMBLE)


def read(path: Path) -> Decoded:
    """Decode a file.

    Raises:
        BenchError: the file is no DICOM file, holds no image, several frames or too large ones, or its
            pixels, rescale or window cannot be read.
    """
    data = dataset(path, pixels=True)
    if not any(name in data for name in PIXELS):
        raise _no_image(path)
    kind = str(data.get("PhotometricInterpretation", "(none)"))
    if frames(data) > 1:
        raise BenchError(f"contains {frames(data)} frames instead of one", where=path, fix=CONVERT)
    if not kind.startswith(PHOTOMETRIC):
        raise BenchError(f"photometric interpretation {kind} is not supported", where=path, fix=CONVERT)
    height, width = size_in(data, path)
    require_bounded(path, height, width, BYTES_OF_FLOATS if int(data.get("BitsAllocated") or 8) > 8 else 4)
    stored = _stored(data, path, height, width)
    if stored.ndim not in (2, 3) or 0 in stored.shape:
        raise BenchError(f"pixels have the shape {stored.shape}", where=path, fix=CONVERT)
    remarks = _orientation(data)
    if stored.ndim == 3:  # pydicom has turned YBR into RGB by now
        exact = stored.dtype == np.uint8
        return Decoded(
            stored[..., :3], exact=exact, top=_top(data, exact), lossy=_lossy(data), remarks=remarks
        )
    return _monochrome(data, stored, kind, path, remarks)


def size(path: Path) -> tuple[int, int]:
    """Return (height, width) from the header.

    Raises:
        BenchError: the file is no DICOM file, or holds no image.
    """
    return size_in(dataset(path, pixels=False), path)


def size_in(data: Dataset, path: Path) -> tuple[int, int]:
    """Return (height, width) that a header states.

    Raises:
        BenchError: it states none, or one that no image has.
    """
    try:
        height, width = int(data.Rows), int(data.Columns)
    except (AttributeError, TypeError, ValueError):
        raise _no_image(path) from None
    require_bounded(path, height, width)
    return height, width


def dataset(path: Path, *, pixels: bool) -> FileDataset:
    """Read a file with pydicom.

    Raises:
        BenchError: it is no DICOM file.
    """
    import pydicom

    try:
        require_bounded_content(path)
        return pydicom.dcmread(path, stop_before_pixels=not pixels, force=_starts_without_preamble(path))
    except BenchError:
        raise
    except Exception as error:  # pydicom raises nearly everything for a damaged file
        what, fix = "not a DICOM file", "download it again"
        if other := _other_format(path):
            fix = f"its content is that of a {other} file: rename it to end in .{other.lower()}"
        elif kind := no_image(path):
            what, fix = f"{what}: it {kind.what}", kind.fix
        raise BenchError(what, where=path, fix=fix) from error


def _other_format(path: Path) -> str:
    """Return the name of another format that a file begins like; empty if none is known."""
    with path.open("rb") as stream:
        head = stream.read(4)
    starts = {"PNG": (b"\x89PNG",), "JPEG": (b"\xff\xd8\xff",), "TIFF": (b"II*\0", b"MM\0*")}
    return next((name for name, start in starts.items() if head.startswith(start)), "")


def frames(data: Dataset) -> int:
    """Return the number of frames that a header states; 1 if it says nothing that is a number."""
    try:
        return int(data.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        return 1


def _no_image(path: Path) -> BenchError:
    return BenchError("DICOM file contains no image or is truncated", where=path, fix="download it again")


def _starts_without_preamble(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(8).startswith(_WITHOUT_PREAMBLE)


def _stored(data: FileDataset, path: Path, height: int, width: int) -> np.ndarray:
    meta = getattr(data, "file_meta", None)
    if meta is not None and "TransferSyntaxUID" not in meta and _starts_without_preamble(path):
        from pydicom.uid import ExplicitVRLittleEndian

        meta.TransferSyntaxUID = ExplicitVRLittleEndian
    try:
        require_stated_size(data, height, width, path)
        return np.asarray(data.pixel_array)
    except BenchError:
        raise
    except Exception as error:  # decoders of other packages raise nearly everything for a damaged file
        raise _undecodable(data, path, error) from error


def _undecodable(data: FileDataset, path: Path, error: Exception) -> BenchError:
    from pydicom.pixels import get_decoder

    syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
    reason = " ".join(line.strip() for line in (str(error) or repr(error)).splitlines())[:200]
    fix = "download the file again"
    try:
        decoder = get_decoder(syntax) if syntax is not None else None
    except NotImplementedError:
        decoder = None
    if decoder is not None and decoder.missing_dependencies:
        fix = f"download the file again; if it is as published, {PLUG_INS}"
    if decoder is not None and not decoder.is_available:
        reason, fix = "no installed package decodes it", f"{PLUG_INS}, or convert it to PNG"
    return BenchError(
        f"pixels cannot be decoded (transfer syntax {getattr(syntax, 'name', 'unknown')}: {reason})",
        where=path,
        fix=fix,
    )


def _monochrome(
    data: FileDataset, stored: np.ndarray, kind: str, path: Path, remarks: tuple[ImageRemark, ...]
) -> Decoded:
    """Apply the rescale, and say what else the header asks for."""
    from pydicom.pixels import apply_modality_lut, apply_voi_lut

    def window(values: np.ndarray) -> np.ndarray:
        windowed = _attempted(lambda: apply_voi_lut(values, data), path)
        # pydicom applies the rescale to the window's output, too: a negative slope turns it around
        negative = float(data.get("RescaleSlope") or 1) < 0 and not data.get("VOILUTSequence")
        return -windowed if negative else windowed

    def rescaled() -> np.ndarray:
        if data.get("RescaleSlope") == 0:
            raise ValueError("the rescale slope is 0")
        return apply_modality_lut(stored, data)

    values = _attempted(rescaled, path)
    windowed = "VOILUTSequence" in data or ("WindowCenter" in data and "WindowWidth" in data)
    plain = values is stored and stored.dtype == np.uint8
    return Decoded(
        values,
        exact=plain,
        top=_top(data, plain),
        inverted=kind == "MONOCHROME1",
        padding=_padding(data, stored),
        window=window if windowed else None,
        lossy=_lossy(data),
        remarks=remarks + _contradiction(data, kind),
    )


def _top(data: FileDataset, exact: bool) -> int | None:
    """Return the highest value of pixels of fewer than eight bits, else None."""
    bits = data.get("BitsStored")
    return 2**bits - 1 if exact and isinstance(bits, int) and 0 < bits < 8 else None


def _attempted(step: Any, path: Path) -> np.ndarray:
    try:
        return step()
    except Exception as error:  # a header can hold anything
        reason = (str(error) or repr(error)).splitlines()[0]
        raise BenchError(
            f"rescale or window in the DICOM header cannot be applied ({reason})", where=path, fix=CONVERT
        ) from error


def _padding(data: FileDataset, stored: np.ndarray) -> np.ndarray | None:
    """Return where stored values are the padding value, or between it and the limit of its range."""
    ends = [data.get("PixelPaddingValue"), data.get("PixelPaddingRangeLimit")]
    if ends[0] is None or stored.dtype.kind not in "iu":
        return None
    try:
        # the header may hold a signed value as an unsigned one, or the other way round
        numbers = [np.array(int(end)).astype(stored.dtype) for end in ends if end is not None]
    except (TypeError, ValueError, OverflowError):
        return None
    low, high = min(numbers), max(numbers)
    return (stored >= low) & (stored <= high)


def _lossy(data: FileDataset) -> bool:
    from pydicom.uid import JPEG2000, JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

    syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
    return syntax in (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless, JPEG2000)


def _contradiction(data: FileDataset, kind: str) -> tuple[ImageRemark, ...]:
    shape = str(data.get("PresentationLUTShape") or "")
    other = {"MONOCHROME1": "IDENTITY", "MONOCHROME2": "INVERSE"}.get(kind)
    if not shape or shape != other:
        return ()
    what = f"photometric interpretation {kind} and presentation shape {shape}; the former is followed"
    return (ImageRemark("polarity", what),)


def _orientation(data: FileDataset) -> tuple[ImageRemark, ...]:
    """Return a remark if the rows do not run to the left or back of the patient, or the columns not down."""
    value = data.get("PatientOrientation")
    if value is None or isinstance(value, str) or len(value) != 2:
        return ()
    row, column = (str(one)[:1] for one in value)
    if row in "LA" and column in "F":
        return ()
    if row == "P" and column == "F":
        return ()  # a lateral view from the other side
    what = f"PatientOrientation is {row}\\{column}: mirrored or turned, and read as stored"
    return (ImageRemark("orientation", what),)
