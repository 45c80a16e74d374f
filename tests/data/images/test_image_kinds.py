"""Single kinds of files: what is done, what is remarked, and what is refused with the way out."""

import os
import struct
import zlib

import numpy as np
import pydicom
import pytest
import tifffile
from PIL import Image
from writers import write_dicom

from prior_bench.data.images import decoded
from prior_bench.data.images.read import image_size, read_image, read_with_remarks
from prior_bench.errors import BenchError

RAMP = np.linspace(0, 4000, 40 * 50).reshape(40, 50).round().astype(np.uint16)
GREY = np.rint(RAMP * (255 / 4000)).astype(np.uint8)
"""RAMP as it is shown: stretched from its own range."""


def kinds(path) -> list[str]:
    return [remark.kind for remark in read_with_remarks(path)[1]]


# --- depth, polarity, numbers ---


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32])
def test_white_is_zero_at_any_depth(tmp_path, dtype):
    top = 255 if dtype == np.uint8 else 4000
    stored = (top - (GREY if dtype == np.uint8 else RAMP).astype(int)).astype(dtype)
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="miniswhite")
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - GREY).max() <= 1


def test_16_bit_colours_are_stretched_not_cut_to_their_upper_byte(tmp_path):
    import cv2

    coloured = np.stack([RAMP] * 3, -1)
    cv2.imwrite(str(tmp_path / "a.png"), coloured)
    tifffile.imwrite(tmp_path / "a.tif", coloured, photometric="rgb")
    assert cv2.imwrite(str(tmp_path / "lzw.tif"), coloured, [cv2.IMWRITE_TIFF_COMPRESSION, 5])
    for name in ("a.png", "a.tif", "lzw.tif"):
        np.testing.assert_array_equal(read_image(tmp_path / name), GREY)


def test_channels_of_16_bit_colours_are_not_exchanged(tmp_path):
    import cv2

    red = np.zeros((4, 4, 3), np.uint16)
    red[0, 0], red[1, 1], red[2, 2] = (0, 0, 40000), (0, 40000, 0), (40000, 0, 0)  # OpenCV writes BGR
    cv2.imwrite(str(tmp_path / "a.png"), red)
    tifffile.imwrite(tmp_path / "a.tif", red[..., ::-1], photometric="rgb")
    for name in ("a.png", "a.tif"):
        shown = read_image(tmp_path / name)
        np.testing.assert_array_equal(
            shown.diagonal(), np.rint(np.array([0.299, 0.587, 0.114, 0]) * 255 / 0.587)
        )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_one_pixel_that_is_no_number_leaves_the_others_as_they_are(tmp_path, bad):
    stored = RAMP.astype(np.float32)
    stored[20, 20] = bad
    Image.fromarray(stored).save(tmp_path / "a.tif")
    shown = read_image(tmp_path / "a.tif")
    assert shown[20, 20] == 0 and kinds(tmp_path / "a.tif") == ["non_finite"]
    shown[20, 20] = GREY[20, 20]
    np.testing.assert_array_equal(shown, GREY)


def test_no_number_at_all(tmp_path):
    Image.fromarray(np.full((3, 3), np.nan, np.float32)).save(tmp_path / "a.tif")
    assert not read_image(tmp_path / "a.tif").any()
    assert kinds(tmp_path / "a.tif") == ["non_finite", "range"]


@pytest.mark.parametrize("low", [0.0, 1e9, -3e38])
def test_floats_of_any_size(tmp_path, low):
    high = {0.0: 1e-6, 1e9: 1e9 + 256 * 64, -3e38: 3e38}[low]
    stored = np.linspace(low, high, 40 * 50).reshape(40, 50)
    tifffile.imwrite(tmp_path / "a.tif", stored)
    assert np.abs(read_image(tmp_path / "a.tif").astype(int) - GREY).max() <= 1


def test_values_that_one_outlier_makes_dark_are_remarked(tmp_path):
    stored = RAMP.copy()
    stored[0, 0] = 65535
    Image.fromarray(stored).save(tmp_path / "a.png")
    ((remark,),) = (read_with_remarks(tmp_path / "a.png")[1],)
    assert remark.kind == "range"
    assert remark.text == "16 of 256 grey levels, from 0 to 15, hold 99% of the pixels"


def test_an_undeclared_padding_value_is_remarked(tmp_path):
    """99 % of the pixels span the whole range, and yet the picture is nearly black."""
    stored = RAMP.copy()
    stored[:5] = 65535
    Image.fromarray(stored).save(tmp_path / "a.png")
    assert kinds(tmp_path / "a.png") == ["range"]


@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.uint32])
def test_deep_values_that_are_compressed_by_what_tifffile_lacks(tmp_path, dtype):
    Image.fromarray(RAMP.astype(np.float32 if dtype == np.float32 else np.int32)).save(
        tmp_path / "a.tif", compression="tiff_lzw", tiffinfo={339: 1} if dtype == np.uint32 else {}
    )
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)


@pytest.mark.parametrize(("bits", "top"), [(1, 1), (6, 63)])
def test_fewer_than_eight_bits_of_dicom_are_scaled(tmp_path, bits, top):
    path = write_dicom(tmp_path / "a.dcm", np.array([[0, top]], np.uint8), BitsStored=bits, HighBit=bits - 1)
    np.testing.assert_array_equal(read_image(path), [[0, 255]])


# --- window and padding ---


def test_a_window_outside_the_values_is_left_out(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter="40000", WindowWidth="4000")
    np.testing.assert_array_equal(read_image(path), GREY)
    ((remark,),) = (read_with_remarks(path)[1],)
    assert remark.kind == "window"
    assert remark.text == "the window shows nothing of the values 0 to 4000 and is left out"


def test_a_window_after_a_negative_slope_does_not_turn_the_picture_around(tmp_path):
    tags = dict(RescaleSlope="-1", RescaleIntercept="4000", WindowCenter="2000.5", WindowWidth="4001")
    path = write_dicom(tmp_path / "a.dcm", 4000 - RAMP, **tags)
    assert np.abs(read_image(path).astype(int) - GREY).max() <= 1 and kinds(path) == []


@pytest.mark.parametrize("centre", ["nan", "inf"])
def test_a_window_that_is_no_number_is_left_out(tmp_path, centre):
    path = write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter=centre, WindowWidth="400")
    np.testing.assert_array_equal(read_image(path), GREY)
    assert kinds(path) == ["window"]


def test_a_window_that_hides_most_is_applied_and_remarked(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, WindowCenter="3800", WindowWidth="400")
    shown, remarks = read_with_remarks(path)
    assert (shown[:35] == 0).all() and shown.max() == 255
    assert [(r.kind, r.text) for r in remarks if r.kind == "window"] == [
        ("window", "90% of the pixels are beyond the window")
    ]


def test_a_window_of_a_picture_on_a_large_dark_ground_is_no_surprise(tmp_path):
    stored = np.zeros_like(RAMP)
    stored[15:25, 15:25] = RAMP[15:25, 15:25]
    path = write_dicom(tmp_path / "a.dcm", stored, WindowCenter="2000", WindowWidth="4000")
    assert "window" not in kinds(path)


@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [{}, dict(WindowCenter="2000.5", WindowWidth="4001")])
@pytest.mark.parametrize(("dtype", "value", "tag"), [
    (np.uint16, 65535, 65535), (np.int16, -2000, -2000), (np.int16, -2000, 63536),
])  # fmt: skip
def test_padding_is_black_and_does_not_set_the_range(tmp_path, kind, window, dtype, value, tag):
    stored = (RAMP if kind == "MONOCHROME2" else 4000 - RAMP).astype(dtype)
    stored[:5] = value
    path = write_dicom(tmp_path / "a.dcm", stored, kind=kind, **window)
    data = pydicom.dcmread(path)
    data.add_new(0x00280120, "SS" if tag < 0 else "US", tag)
    data.save_as(path)
    shown = read_image(path)
    low = stored[5:].min() if kind == "MONOCHROME2" else 4000 - stored[5:].max()
    assert not shown[:5].any() and kinds(path) == []
    if not window:
        low = int(RAMP[5:].min())
        expected = np.rint((RAMP[5:] - low) * (255 / (4000 - low)))
        assert np.abs(shown[5:] - expected).max() <= 1
    else:
        assert shown[5:].max() == 255 and (np.diff(shown[5:].reshape(-1).astype(int)) >= 0).all()


def test_a_range_of_padding_values(tmp_path):
    stored = RAMP.copy()
    stored[0], stored[1] = 60000, 65000
    path = write_dicom(tmp_path / "a.dcm", stored)
    data = pydicom.dcmread(path)
    data.add_new(0x00280120, "US", 60000)
    data.add_new(0x00280121, "US", 65535)
    data.save_as(path)
    shown = read_image(path)
    assert not shown[:2].any() and shown[-1, -1] == 255 and shown.max(axis=1)[20] > 100


def test_a_padding_value_among_the_values_of_the_picture_is_kept_and_remarked(tmp_path):
    stored = RAMP.copy()
    stored[10:20, 10:20] = 3000
    path = write_dicom(tmp_path / "a.dcm", stored, PixelPaddingValue=3000)
    assert read_image(path)[15, 15] == 191 and kinds(path) == ["padding"]


def test_padding_that_is_the_darkest_value_changes_nothing(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, PixelPaddingValue=0)
    np.testing.assert_array_equal(read_image(path), GREY)
    assert kinds(path) == []


# --- headers that contradict, pages, orientation ---


def test_headers_that_contradict_themselves_or_turn_the_patient(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", RAMP, PresentationLUTShape="INVERSE")
    np.testing.assert_array_equal(read_image(path), GREY)
    assert kinds(path) == ["polarity"]
    assert kinds(write_dicom(tmp_path / "b.dcm", RAMP, PatientOrientation=["R", "F"])) == ["orientation"]
    assert kinds(write_dicom(tmp_path / "c.dcm", RAMP, PatientOrientation=["L", "F"])) == []


def test_the_first_of_several_pages_is_read_and_their_number_said(tmp_path):
    pages = [Image.fromarray(GREY), Image.fromarray(255 - GREY), Image.fromarray(GREY)]
    for name in ("a.tif", "a.gif", "a.png", "a.webp"):
        lossless = {"lossless": True} if name == "a.webp" else {}
        pages[0].save(tmp_path / name, save_all=True, append_images=pages[1:], **lossless)
        shown, remarks = read_with_remarks(tmp_path / name)
        assert np.abs(shown.astype(int) - GREY).max() <= 2, name
        assert [(r.kind, r.text) for r in remarks] == [("pages", "the first of 3 pages is read")], name


@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_tiff_that_is_stored_turned(tmp_path, compression, orientation):
    """Pillow mixes up the rows of such a file if it is opened by its path."""
    back = {3: np.rot90(GREY, 2), 6: np.rot90(GREY), 7: np.rot90(GREY, 2).T}[orientation]
    stored = Image.fromarray(np.ascontiguousarray(back))
    stored.save(tmp_path / "a.tif", compression=compression, tiffinfo={274: orientation})
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), GREY)
    assert image_size(tmp_path / "a.tif") == GREY.shape


def test_alpha_that_varies_is_left_out_with_a_remark(tmp_path):
    alpha = Image.merge("LA", [Image.fromarray(np.full_like(GREY, 9)), Image.fromarray(GREY)])
    alpha.save(tmp_path / "a.png")
    assert kinds(tmp_path / "a.png") == ["alpha", "range"]
    opaque = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(np.full_like(GREY, 255))])
    opaque.save(tmp_path / "b.png")
    assert kinds(tmp_path / "b.png") == []


# --- DICOM by content ---


@pytest.mark.parametrize(
    "name", ["1.2.826.0.1.3680043.8.498.1234", "IM-0001.ima", "IM1", "named.png", "a.dcm"]
)
def test_dicom_is_told_by_its_content(tmp_path, name):
    path = write_dicom(tmp_path / name, RAMP)
    np.testing.assert_array_equal(read_image(path), GREY)
    assert image_size(path) == GREY.shape


@pytest.mark.parametrize("name", ["a.dcm", "a.raw"])
def test_dicom_without_preamble(tmp_path, name):
    path = write_dicom(tmp_path / name, RAMP)
    content = path.read_bytes()
    path.write_bytes(content[132:])
    np.testing.assert_array_equal(read_image(path), GREY)
    path.write_bytes(content[content.index(b"\x08\0\x16\0UI") :])
    np.testing.assert_array_equal(read_image(path), GREY)


def test_a_picture_that_is_called_dicom_says_what_it_is(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.dcm")
    with pytest.raises(BenchError, match=r"not a DICOM file\n  fix: .*a PNG file.*rename"):
        read_image(tmp_path / "a.dcm")


# --- bounds and damage ---


def png_header(path, width, height):
    head = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 0, 0, 0, 0))
    chunks = (head, b"IDAT" + zlib.compress(b"\0"), b"IEND")
    body = (len(c[4:]).to_bytes(4, "big") + c + zlib.crc32(c).to_bytes(4, "big") for c in chunks)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))
    return path


@pytest.mark.parametrize(("width", "height"), [(20001, 10000), (400000, 400000), (2**31 - 1, 3)])
def test_an_image_that_is_too_large_is_named_before_it_is_decoded(tmp_path, width, height):
    path = png_header(tmp_path / "a.png", width, height)
    for read in (read_image, image_size):
        with pytest.raises(
            BenchError, match=rf"a\.png: image is {width}x{height} pixels.*at most 200 million"
        ):
            read(path)


def test_a_large_image_within_the_bounds_is_opened(tmp_path):
    """Of more pixels than Pillow opens by default."""
    size = struct.pack("<IiiHHIIiiII", 40, 20000, 9500, 1, 8, 0, 0, 1, 1, 0, 0)
    (tmp_path / "a.bmp").write_bytes(b"BM" + struct.pack("<IHHI", 1078, 0, 0, 1078) + size + bytes(1024))
    assert image_size(tmp_path / "a.bmp") == (9500, 20000)
    with pytest.raises(BenchError, match="truncated"):
        read_image(tmp_path / "a.bmp")


@pytest.mark.slow
def test_a_large_image_within_the_bounds_is_read(tmp_path):
    Image.new("L", (20000, 9500), 30).save(tmp_path / "a.png")
    shown = read_image(tmp_path / "a.png")
    assert shown.shape == (9500, 20000) and shown[5000, 5000] == 30


def test_a_dicom_file_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(decoded, "MOST_PIXELS", 1000)
    with pytest.raises(BenchError, match=r"a\.dcm: image is 50x40 pixels"):
        read_image(write_dicom(tmp_path / "a.dcm", RAMP))


def test_pixel_data_with_a_wrong_checksum_are_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png", compress_level=0)
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(
        BenchError, match=r"a\.png: not a readable image, .*checksum of its part IDAT is wrong"
    ):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("read", [read_image, image_size])
def test_what_else_can_lie_on_a_disk(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BenchError, match="is not a file"):
        read(tmp_path / "pipe.png")
    with pytest.raises(BenchError):
        read(tmp_path / ("long" * 100 + ".png"))
    (tmp_path / "loop.png").symlink_to("loop.png")
    with pytest.raises(BenchError, match=r"loop\.png"):
        read(tmp_path / "loop.png")
    (tmp_path / "a.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
    with pytest.raises(BenchError, match="no image format that is known"):
        read(tmp_path / "a.eps")
