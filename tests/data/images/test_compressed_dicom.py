"""Compressed DICOM files are the picture that their uncompressed counterpart is; both are pydicom's."""

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file

from prior_bench.data.images.read import read_image

pytest.importorskip("libjpeg", reason="pylibjpeg-libjpeg, of the extra 'dicom', is not installed")
pytest.importorskip("openjpeg", reason="pylibjpeg-openjpeg, of the extra 'dicom', is not installed")


def picture(name: str) -> np.ndarray:
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"pydicom's test files have no {name}")
    return read_image(path)


@pytest.mark.parametrize(
    "name", ["MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm", "MR_small_RLE.dcm"]
)
def test_lossless_codes_give_the_same_picture(name):
    plain = picture("MR_small.dcm")
    assert plain.std() > 10
    np.testing.assert_array_equal(picture(name), plain)


@pytest.mark.parametrize("depth", ["08", "16"])
def test_bars_in_nearly_lossless_jpeg_ls_keep_their_order(depth):
    name = f"JPEGLSNearLossless_{depth}.dcm"
    image, stored = picture(name), dcmread(get_testdata_file(name)).pixel_array
    assert len(np.unique(image)) >= 6  # bars from black to white, in steps of a factor of four
    assert (np.diff(image.ravel()[np.argsort(stored, axis=None)].astype(int)) >= 0).all()
