"""Compressed pixels that say another size than the header of their file, and segments that unpack to more."""

import io
import lzma
import struct
import zlib

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless, RLELossless
from writers import write_dicom

from prior_bench.data.images.formats.frame_size import stated_size
from prior_bench.data.images.read import read_image
from prior_bench.errors import BenchError

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
JPEG_LS = b"\xff\xd8\xff\xf7\0\x0b\x08\xff\xff\xff\xff\x01\x01\x11\0"


def encoded(kind, pixels=RAMP, **options):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def enlarged(stream, place, form, *sizes):
    """Write other sizes into a stream."""
    return stream[:place] + struct.pack(form, *sizes) + stream[place + struct.calcsize(form) :]


def written(path, syntax, frame):
    data = pydicom.dcmread(write_dicom(path, RAMP))
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([frame])
    data["PixelData"].VR = "OB"
    data.save_as(path, implicit_vr=False, little_endian=True)
    return path


BARE = encoded("JPEG2000", no_jp2=True)
JPEG = encoded("JPEG")


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (JPEG, (16, 16, 1)),
        (encoded("JPEG", np.zeros((8, 24, 3), np.uint8), comment=b"x" * 500), (8, 24, 3)),
        (encoded("JPEG", progressive=True), (16, 16, 1)),
        (BARE, (16, 16, 1)),
        (encoded("JPEG2000", np.zeros((8, 24, 3), np.uint8)), (8, 24, 3)),
        (JPEG_LS, (65535, 65535, 1)),
        (b"", (0, 0, 0)),
        (JPEG[:5], (0, 0, 0)),
        (b"\xff\xd8" + b"\xff\xe0\0\0" * 1000, (0, 0, 0)),
    ],
)
def test_the_size_of_a_stream(stream, size):
    assert stated_size(stream) == size


@pytest.mark.parametrize(("syntax", "frame"), [(JPEG2000Lossless, BARE), (JPEGBaseline8Bit, JPEG)])
def test_frames_as_large_as_the_header_says_are_read(tmp_path, syntax, frame):
    assert read_image(written(tmp_path / "a.dcm", syntax, frame)).shape == (16, 16)


@pytest.mark.parametrize(
    ("syntax", "frame"),
    [
        (JPEG2000Lossless, enlarged(BARE, 8, ">II", 60_000, 60_000)),
        (JPEG2000Lossless, enlarged(BARE, 40, ">H", 16_000)),
        (JPEGBaseline8Bit, enlarged(JPEG, JPEG.find(b"\xff\xc0") + 5, ">HH", 65_000, 65_000)),
        (JPEGLSLossless, JPEG_LS),
        (RLELossless, struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 2**20),
    ],
)
def test_far_larger_ones_are_not_unpacked(tmp_path, monkeypatch, syntax, frame):
    monkeypatch.setattr(pydicom.FileDataset, "pixel_array", property(pytest.fail))
    with pytest.raises(BenchError, match=r"a\.dcm: its compressed pixels are .* the header says 16x16"):
        read_image(written(tmp_path / "a.dcm", syntax, frame))


def tiff(path, compression, segment=None, shape=(16, 16), changes=()):
    """A TIFF file of floats; ``segment`` takes the place of its strip, and ``changes`` those of tags."""
    tifffile.imwrite(path, np.ones(shape, np.float32), compression=compression)
    with tifffile.TiffFile(path) as file:
        tags = {number: file.pages[0].tags[number] for number in (256, 257, 273, 279)}
    changes = dict(changes)
    content = path.read_bytes()
    if segment is not None:
        changes |= {273: len(content), 279: len(segment)}
    for number, value in changes.items():
        form = "<H" if int(tags[number].dtype) == 3 else "<I"
        content = enlarged(content, tags[number].valueoffset, form, value)
    path.write_bytes(content + (segment or b""))
    return path


@pytest.mark.parametrize("compression", [None, "zlib", "lzma"])
def test_a_tiff_file_of_floats_is_read(tmp_path, compression):
    assert read_image(tiff(tmp_path / "a.tif", compression)).shape == (16, 16)


@pytest.mark.parametrize(
    ("compression", "segment", "message"),
    [
        ("zlib", zlib.compress(bytes(2**24)), "unpacks to more than its 1,024 bytes"),
        ("lzma", lzma.compress(bytes(2**24)), "unpacks to more than its 1,024 bytes"),
        (None, bytes(2**20), "is far larger than its 1,024 bytes"),
    ],
)
def test_one_that_unpacks_to_more_is_not(tmp_path, monkeypatch, compression, segment, message):
    monkeypatch.setattr(tifffile.TiffPage, "asarray", pytest.fail)
    with pytest.raises(BenchError, match=f"a.tif: damaged: a strip or tile {message}"):
        read_image(tiff(tmp_path / "a.tif", compression, segment))


def test_one_that_lacks_strips_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tifffile.TiffPage, "asarray", pytest.fail)
    with pytest.raises(BenchError, match=r"it has 1 strips or tiles, its size needs 750"):
        read_image(tiff(tmp_path / "a.tif", "zlib", changes={257: 12_000}))
