"""Decoding of every format, and the one clear message for each way a file can be broken."""

import numpy as np
import pydicom
import pytest
from PIL import Image

from prior_bench.data.images.read import image_size, read_image
from prior_bench.errors import BenchError


@pytest.fixture
def ramp():
    return (np.arange(12 * 20).reshape(12, 20) % 256).astype(np.uint8)


def test_png_is_exact_and_jpeg_near(tmp_path, ramp):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), ramp)
    smooth = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
    Image.fromarray(smooth).save(tmp_path / "a.jpg", quality=95)
    read = read_image(tmp_path / "a.jpg")
    assert read.dtype == np.uint8 and read.shape == (48, 64)
    assert np.abs(read.astype(int) - smooth).max() <= 4


def test_colour_becomes_luminance(tmp_path):
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    Image.fromarray(red).save(tmp_path / "red.png")
    Image.fromarray(red).save(tmp_path / "red.jpg", quality=100)
    assert set(np.unique(read_image(tmp_path / "red.png"))) == {60}  # 0.299 * 200
    assert abs(int(read_image(tmp_path / "red.jpg")[4, 4]) - 60) <= 1


def test_16_bit_png_is_stretched_over_its_own_range(tmp_path):
    pixels = np.array([[1000, 2000], [3000, 4000]], np.uint16)  # 12-bit data: /257 would leave it black
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), [[0, 85], [170, 255]])


def test_constant_deep_image_does_not_divide_by_zero(tmp_path):
    Image.fromarray(np.full((4, 4), 777, np.uint16)).save(tmp_path / "flat.png")
    assert not read_image(tmp_path / "flat.png").any()


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_exif_rotation_is_honoured(tmp_path, suffix):
    pixels = np.zeros((16, 32), np.uint8)
    pixels[:8, :8] = 255  # top left as stored
    exif = Image.Exif()
    exif[0x0112] = 6  # shown rotated by 90 degrees clockwise
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(pixels).save(path, exif=exif)
    shown = read_image(path)
    assert shown.shape == image_size(path) == (32, 16)
    assert shown[:8, 8:].mean() > 250 and shown[16:].mean() < 5  # now top right


def test_dicom_8_bit_stays_as_stored(tmp_path, ramp, write_dicom):
    path = write_dicom(tmp_path / "a.dcm", ramp)
    np.testing.assert_array_equal(read_image(path), ramp)
    assert image_size(path) == ramp.shape


def test_dicom_8_bit_of_narrow_range_is_not_stretched(tmp_path, write_dicom):
    pixels = np.array([[10, 20], [30, 40]], np.uint8)
    np.testing.assert_array_equal(read_image(write_dicom(tmp_path / "a.dcm", pixels)), pixels)


def test_dicom_monochrome1_is_inverted(tmp_path, ramp, write_dicom):
    path = write_dicom(tmp_path / "a.dcm", ramp, kind="MONOCHROME1")
    np.testing.assert_array_equal(read_image(path), 255 - ramp)


def test_dicom_rescale_and_window(tmp_path, write_dicom):
    pixels = np.array([[0, 1000], [2000, 3000]], np.int16)
    path = write_dicom(tmp_path / "a.dcm", pixels, RescaleSlope="2", RescaleIntercept="-1000")
    np.testing.assert_array_equal(read_image(path), [[0, 85], [170, 255]])
    path = write_dicom(  # after rescale: -1000, 1000, 3000, 5000; the window shows 1000 to 3000
        tmp_path / "b.dcm", pixels, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="2000.5",
        WindowWidth="2001",
    )  # fmt: skip
    np.testing.assert_array_equal(read_image(path), [[0, 0], [255, 255]])


def test_dicom_negative_slope_turns_the_image_around(tmp_path, write_dicom):
    pixels = np.array([[0, 1000], [2000, 3000]], np.uint16)
    path = write_dicom(tmp_path / "a.dcm", pixels, RescaleSlope="-1", RescaleIntercept="3000")
    np.testing.assert_array_equal(read_image(path), [[255, 170], [85, 0]])


def test_dicom_rgb(tmp_path, write_dicom):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    assert set(np.unique(read_image(write_dicom(tmp_path / "a.dcm", red, kind="RGB")))) == {60}


def test_dicom_without_suffix_is_recognised(tmp_path, ramp, write_dicom):
    write_dicom(tmp_path / "IM0001", ramp)
    np.testing.assert_array_equal(read_image(tmp_path / "IM0001"), ramp)


def test_several_frames_are_refused(tmp_path, write_dicom):
    frames = np.zeros((2, 4, 4), np.uint8)
    path = write_dicom(tmp_path / "a.dcm", frames[0], NumberOfFrames="2")
    with pytest.raises(BenchError, match="2 frames"):
        read_image(path)


# --- broken files ---


def test_truncated_jpeg(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (200, 200), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(BenchError, match=r"half\.jpg: not a readable image, or truncated"):
        read_image(tmp_path / "half.jpg")


def test_dicom_that_is_none(tmp_path, ramp):
    Image.fromarray(ramp).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.dcm")
    for read in (read_image, image_size):
        with pytest.raises(BenchError, match=r"a\.dcm: not a DICOM file"):
            read(tmp_path / "a.dcm")


def test_truncated_dicom(tmp_path, ramp, write_dicom):
    path = write_dicom(tmp_path / "a.dcm", np.tile(ramp, (20, 20)))
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(BenchError, match=r"a\.dcm"):
        read_image(path)


def test_dicom_without_pixels(tmp_path, ramp, write_dicom):
    path = write_dicom(tmp_path / "a.dcm", ramp)
    data = pydicom.dcmread(path)
    for tag in ("PixelData", "Rows"):
        delattr(data, tag)
    data.save_as(path)
    for read in (read_image, image_size):
        with pytest.raises(BenchError, match="contains no image"):
            read(path)


@pytest.mark.parametrize("read", [read_image, image_size])
def test_missing_dead_link_empty_and_text(tmp_path, read):
    with pytest.raises(BenchError, match="no such image file"):
        read(tmp_path / "none.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(BenchError, match="dead link: it points to .*gone.png"):
        read(tmp_path / "link.png")
    (tmp_path / "empty.png").touch()
    with pytest.raises(BenchError, match="0 bytes"):
        read(tmp_path / "empty.png")
    (tmp_path / "page.png").write_text("<html>login</html>")
    with pytest.raises(BenchError, match="not a readable image"):
        read(tmp_path / "page.png")
    with pytest.raises(BenchError, match="is not a file"):
        read(tmp_path)
