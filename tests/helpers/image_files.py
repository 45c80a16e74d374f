"""One known picture in image files of every kind: depth, type, polarity, colour, alpha, orientation, format.

Each writer takes a picture, float [H, W] from 0 (black) to 1 (white), and options. It returns the file and
the picture as the file can hold it.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.pixels import pack_bits
from pydicom.uid import ExplicitVRLittleEndian, RLELossless, SecondaryCaptureImageStorage, generate_uid

BACK = {
    1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1), 6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1), 8: lambda a: np.rot90(a, -1),
}  # fmt: skip
"""What is stored, so that it is upright once it is turned as the EXIF orientation says."""


@dataclass
class Written:
    """A file that shows a picture.

    Attributes:
        path: the file.
        shown: the picture as the file can hold it.
        guess: kinds of remarks without which the file is misread.
        lost: whether the picture cannot be read back, so that a remark is all that can be asked for.
    """

    path: Path
    shown: np.ndarray
    guess: set[str] = field(default_factory=set)
    lost: bool = False


def quantised(picture: np.ndarray, bits: int, low: int = 0, inverted: bool = False) -> np.ndarray:
    """The picture as integers of some bits above ``low``; int64."""
    levels = np.rint((1 - picture if inverted else picture) * (2**bits - 1)).astype(np.int64)
    return levels + low


def shown(stored: np.ndarray, inverted: bool = False) -> np.ndarray:
    """What stored values look like."""
    return -stored.astype(np.float64) if inverted else stored.astype(np.float64)


def in_colours(grey: np.ndarray, alpha: np.ndarray | None, colours: int) -> np.ndarray:
    """Grey values as 1 or 3 equal channels, [H, W, C], and the alpha channel, if there is one."""
    channels = [grey] * colours + ([] if alpha is None else [alpha])
    return np.stack(channels, -1) if len(channels) > 1 else grey


def some_alpha(kind: str, grey: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray | None, set[str], bool]:
    """Grey values with an alpha channel: none, opaque, one that varies, or one that holds the picture."""
    if kind == "none":
        return grey, None, set(), False
    if kind == "opaque":
        return grey, np.full_like(grey, top), set(), False
    if kind == "varying":
        alpha = np.full_like(grey, top)
        alpha[:3] = top // 3
        return grey, alpha, {"alpha"}, False
    return np.full_like(grey, top), grey, {"alpha"}, True


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def write_png_kind(
    path: Path, picture: np.ndarray, *, bits: int, colours: int, alpha: str, low: int, orientation: int
) -> Written:
    """PNG of 1 to 16 bits; more than 8 are stored in 16, from ``low`` on."""
    import cv2

    low = low if bits > 8 else 0
    stored = quantised(picture, bits, low)
    truth = shown(stored)
    kind = np.uint16 if bits > 8 else np.uint8
    if bits <= 8:  # full scale, as PNG demands
        stored = np.rint(stored * (255 / (2**bits - 1)))
    grey = np.ascontiguousarray(BACK[orientation](stored)).astype(kind)
    grey, channel, guess, lost = some_alpha(alpha, grey, np.iinfo(kind).max)
    array = in_colours(grey, channel, 3 if channel is not None and kind == np.uint16 else colours)
    if kind == np.uint16 and array.ndim == 3:
        swapped = array[..., [2, 1, 0, 3][: array.shape[-1]]]
        assert cv2.imwrite(str(path), swapped)
        if orientation != 1:  # OpenCV writes no EXIF
            path.write_bytes(with_exif_chunk(path.read_bytes(), exif_of(orientation).tobytes()))
    elif bits == 1 and colours == 1 and channel is None:
        Image.fromarray(array > 127).save(path, exif=exif_of(orientation))
    else:
        Image.fromarray(array).save(path, exif=exif_of(orientation))
    return Written(path, truth, guess, lost)


def with_exif_chunk(png: bytes, exif: bytes) -> bytes:
    """A PNG file with orientation: the chunk eXIf after the header."""
    import zlib

    body = b"eXIf" + exif.removeprefix(b"Exif\0\0")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]


def write_palette(path: Path, picture: np.ndarray, *, shuffled: bool) -> Written:
    """Palette whose indices are in any order."""
    levels = quantised(picture, 8)
    order = np.random.default_rng(1).permutation(256) if shuffled else np.arange(256)
    palette = np.zeros((256, 3), np.uint8)
    palette[order] = np.arange(256)[:, None]
    image = Image.fromarray(order[levels].astype(np.uint8)).convert("P")
    image.putdata(order[levels].reshape(-1).tolist())
    image.putpalette(palette.reshape(-1).tolist())
    image.save(path)
    return Written(path, shown(levels))


def write_jpeg(path: Path, picture: np.ndarray, *, mode: str, progressive: bool, orientation: int) -> Written:
    """JPEG in grey, colour or CMYK."""
    stored = np.ascontiguousarray(BACK[orientation](quantised(picture, 8))).astype(np.uint8)
    image = Image.fromarray(stored).convert(mode)
    image.save(path, "JPEG", quality=97, progressive=progressive, exif=exif_of(orientation))
    return Written(path, picture)


def write_tiff(
    path: Path,
    picture: np.ndarray,
    *,
    kind: str,
    bits: int,
    low: int,
    inverted: bool,
    colours: int,
    alpha: str,
    planar: bool,
    compression: str | None,
    byteorder: str,
    orientation: int,
    bad_pixel: bool,
    pages: int,
) -> Written:
    """TIFF of any type of values."""
    dtype = np.dtype(kind)
    inverted = inverted and colours == 1
    if dtype.kind == "f":
        stored = quantised(picture, min(bits, 10), 0, inverted) / 7 - 3
    elif dtype.itemsize == 1:
        stored = quantised(picture, 8, 0 if dtype.kind == "u" else -128, inverted)
    else:
        most = 8 * dtype.itemsize - 2
        stored = quantised(picture, min(bits, most), low if dtype.kind == "u" else -low, inverted)
    truth, guess = shown(stored, inverted), set()
    stored = np.ascontiguousarray(BACK[orientation](stored)).astype(dtype)
    grey, channel, guess, lost = some_alpha("none" if dtype.kind != "u" else alpha, stored, _top(dtype))
    if bad_pixel and dtype.kind == "f":
        grey = grey.copy()
        grey[0, 0] = np.nan
        guess = guess | {"non_finite"}
    array = in_colours(grey, channel, colours)
    options = {"photometric": "rgb" if colours == 3 else "miniswhite" if inverted else "minisblack"}
    if channel is not None:
        options["extrasamples"] = ["unassalpha"]
    if array.ndim == 3:
        options["planarconfig"] = "separate" if planar else "contig"
        array = np.moveaxis(array, -1, 0) if planar else array
    with tifffile.TiffWriter(path, byteorder=byteorder) as tiff:
        for page in range(pages):
            tiff.write(
                array if page == 0 else np.zeros_like(array),
                compression=compression,
                metadata=None,
                extratags=[(274, 3, 1, orientation, True)],
                **options,
            )
    return Written(path, truth, guess | ({"pages"} if pages > 1 else set()), lost)


def _top(dtype: np.dtype) -> int:
    return int(np.iinfo(dtype).max) if dtype.kind in "iu" else 1


def write_dicom_kind(
    path: Path,
    picture: np.ndarray,
    *,
    bits: int,
    signed: bool,
    inverted: bool,
    rescale: tuple[float, float] | None,
    window: str,
    padding: bool,
    colours: int,
    floats: bool,
    rle: bool,
) -> Written:
    """DICOM of 1 to 16 bits or 32-bit floats."""
    floats = floats and colours == 1
    signed, inverted = signed and bits > 8 and colours == 1, inverted and colours == 1
    flipped = rescale is not None and rescale[0] < 0
    low = -(2 ** (bits - 1)) if signed else 0
    # with padding, the highest or lowest value is kept for it
    stored = quantised(picture * 0.9 + 0.05 if padding else picture, bits, low, inverted != flipped)
    truth, guess = shown(stored, inverted != flipped), set()
    allocated = 32 if floats else 8 if bits <= 8 else 16
    dtype = np.float32 if floats else np.dtype(f"{'i' if signed else 'u'}{allocated // 8}")
    pixels = stored.astype(dtype)
    data = _empty(path, pixels.shape, rle and not floats)
    if padding and bits > 8 and not floats and colours == 1:
        value = low if bits % 2 else low + 2**bits - 1
        pixels[:4, :5] = value
        data.add_new(0x00280120, "SS" if signed else "US", value)
        truth[:4, :5] = truth.min() - 1  # padding is black
    if floats:
        data.FloatPixelData = pixels.tobytes()
        data.BitsAllocated = 32
    else:
        data.BitsAllocated, data.BitsStored, data.HighBit = allocated, bits, bits - 1
        data.PixelRepresentation = int(signed)
    if colours == 3:
        pixels = np.stack([pixels] * 3, -1)
        data.SamplesPerPixel, data.PlanarConfiguration, data.PhotometricInterpretation = 3, 0, "RGB"
    else:
        data.SamplesPerPixel = 1
        data.PhotometricInterpretation = "MONOCHROME1" if inverted else "MONOCHROME2"
    slope, intercept = rescale or (1.0, 0.0)
    if rescale is not None and colours == 1:
        data.RescaleSlope, data.RescaleIntercept = str(slope), str(intercept)
    elif colours == 3:
        truth = shown(stored)
    if colours == 1 and not floats and window != "none":
        ends = np.array([low, low + 2.0**bits]) * slope + intercept
        middle, width = ends.mean(), abs(ends[1] - ends[0])
        if window == "outside":
            middle, guess = ends.max() + 5 * width, {"window"}
        data.WindowCenter, data.WindowWidth = f"{middle:.8g}", f"{width + 2:.8g}"
    if not floats:
        if bits == 1 and colours == 1:
            data.BitsAllocated = 1
            data.PixelData = pack_bits(pixels)
        else:
            data.PixelData = pixels.tobytes()
            if rle:
                data.compress(RLELossless)
    data.save_as(path, enforce_file_format=True)
    return Written(path, truth, guess)


def _empty(path: Path, shape: tuple[int, ...], rle: bool) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = SecondaryCaptureImageStorage, meta.MediaStorageSOPInstanceUID
    data.Rows, data.Columns = shape[:2]
    return data


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Spearman's correlation of two pictures of one shape."""
    from scipy.stats import spearmanr

    return float(spearmanr(one.reshape(-1), other.reshape(-1)).statistic)
