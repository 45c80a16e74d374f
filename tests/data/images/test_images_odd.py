"""Images that are odd but whole are read for what they show; what cannot be read says why and what to do."""

import numpy as np
import pydicom
import pytest
from PIL import Image
from writers import write_dicom

from prior_bench.data.images.read import image_size, read_image
from prior_bench.errors import BenchError

STORED = np.array([[0, 1000], [2000, 3000]], np.uint16)
SHOWN = np.array([[0, 85], [170, 255]], np.uint8)
"""What a reader of radiographs sees of STORED, stretched over its own range."""


# --- DICOM: photometric interpretation ---


@pytest.mark.parametrize("kind", ["PALETTE COLOR", "HSV", "MONOCHROME"])
def test_photometric_interpretations_that_are_refused(tmp_path, kind):
    path = write_dicom(tmp_path / "a.dcm", STORED, kind=kind)
    message = (
        rf"a\.dcm: photometric interpretation {kind} is not supported\n  fix: download the file again; .* PNG"
    )
    with pytest.raises(BenchError, match=message):
        read_image(path)


def test_dark_is_bright_in_monochrome1_also_after_rescale_and_window(tmp_path):
    tags = dict(RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="2000.5", WindowWidth="2001")
    path = write_dicom(tmp_path / "a.dcm", STORED, kind="MONOCHROME1", **tags)
    np.testing.assert_array_equal(read_image(path), [[255, 255], [0, 0]])
    path = write_dicom(tmp_path / "b.dcm", STORED, kind="MONOCHROME1")
    np.testing.assert_array_equal(read_image(path), 255 - SHOWN)


def test_colour_that_is_stored_as_luminance_and_two_differences(tmp_path):
    """YBR_FULL of a red of 200: the same grey as from RGB."""
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 200
    ybr = np.array(Image.fromarray(red).convert("YCbCr"))
    path = write_dicom(tmp_path / "a.dcm", ybr, kind="YBR_FULL")
    assert np.abs(read_image(path).astype(int) - 60).max() <= 1  # 0.299 * 200


def test_colour_of_more_than_eight_bits_is_stretched(tmp_path):
    grey = np.stack([STORED] * 3, -1)
    np.testing.assert_array_equal(read_image(write_dicom(tmp_path / "a.dcm", grey, kind="RGB")), SHOWN)


def test_a_file_that_names_no_interpretation(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED.astype(np.uint8), kind=None)
    with pytest.raises(BenchError, match=r"a\.dcm: photometric interpretation \(none\) is not supported"):
        read_image(path)


# --- DICOM: rescale and window ---


def test_negative_values_and_fractions_of_a_slope(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED, RescaleSlope="0.001", RescaleIntercept="-1.5")
    np.testing.assert_array_equal(read_image(path), SHOWN)
    signed = (STORED.astype(np.int32) - 1500).astype(np.int16)
    np.testing.assert_array_equal(read_image(write_dicom(tmp_path / "b.dcm", signed)), SHOWN)


def test_the_first_of_several_windows_counts(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED, WindowCenter=["2500.5", "100"], WindowWidth=["1001", "10"])
    np.testing.assert_array_equal(read_image(path), [[0, 0], [0, 255]])


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        (dict(RescaleSlope="0", RescaleIntercept="7"), "the rescale slope is 0"),
        (dict(WindowCenter="100", WindowWidth="0"), "Window Width"),
        (dict(WindowCenter="100", WindowWidth="-5"), "Window Width"),
    ],
)
def test_headers_that_make_no_image(tmp_path, tags, why):
    path = write_dicom(tmp_path / "a.dcm", STORED, **tags)
    refused = "rescale or window in the DICOM header cannot be applied"
    message = rf"a\.dcm: {refused} \(.*{why}.*\)\n  fix: download"
    with pytest.raises(BenchError, match=message):
        read_image(path)
    assert image_size(path) == (2, 2)


def test_twelve_bits_in_sixteen(tmp_path):
    path = write_dicom(tmp_path / "a.dcm", STORED)
    data = pydicom.dcmread(path)
    data.BitsStored, data.HighBit = 12, 11
    data.save_as(path)
    np.testing.assert_array_equal(read_image(path), SHOWN)


# --- PNG and JPEG ---


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_every_exif_orientation(tmp_path, suffix, orientation):
    """Stored so that, turned as the tag says, the bright quarter of a 16 x 32 image is at its top left."""
    shown = np.zeros((16, 32), np.uint8)
    shown[:8, :16] = 255
    back = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud,
        5: np.transpose, 6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{suffix}"
    Image.fromarray(np.ascontiguousarray(back[orientation](shown))).save(path, exif=exif, quality=95)
    read = read_image(path)
    assert read.shape == image_size(path) == (16, 32)
    assert read[:7, :15].min() > 240 and read[9:].max() < 15 and read[:, 17:].max() < 15


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_more_than_eight_bits_of_any_kind(tmp_path, kind):
    path = tmp_path / ("deep.png" if kind is np.uint16 else "deep.tif")
    Image.fromarray(STORED.astype(kind)).save(path)
    np.testing.assert_array_equal(read_image(path), SHOWN)


def test_palettes_and_transparency_are_seen_through(tmp_path):
    grey = np.array([[0, 100], [200, 255]], np.uint8)
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    Image.merge("LA", [Image.fromarray(grey), Image.fromarray(255 - grey)]).save(tmp_path / "alpha.png")
    np.testing.assert_array_equal(read_image(tmp_path / "palette.png"), grey)
    np.testing.assert_array_equal(read_image(tmp_path / "alpha.png"), grey)
