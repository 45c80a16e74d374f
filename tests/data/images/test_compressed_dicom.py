"""Compressed DICOM is the picture of its uncompressed counterpart; without a decoder, there is a message."""

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import Decoder
from pydicom.uid import JPEG2000Lossless, JPEGLossless, JPEGLSLossless
from writers import write_dicom

from prior_bench.data.images.read import read_image
from prior_bench.errors import BenchError


def picture(name: str) -> np.ndarray:
    path = get_testdata_file(name, download=False)
    assert path is not None, "pydicom brings it"
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
    image, stored = picture(name), pydicom.dcmread(get_testdata_file(name)).pixel_array
    assert len(np.unique(image)) >= 6  # bars from black to white, in steps of a factor of four
    assert (np.diff(image.ravel()[np.argsort(stored, axis=None)].astype(int)) >= 0).all()


# --- without a decoder ---


def compressed(path, syntax):
    """A file of a transfer syntax, whose pixels are the code of no decoder."""
    data = pydicom.dcmread(write_dicom(path, np.zeros((4, 4), np.uint8)))
    data.file_meta.TransferSyntaxUID = syntax
    data.PixelData = encapsulate([b"\xff\xd8code\xff\xd9"])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    return path


@pytest.mark.parametrize("syntax", [JPEGLSLossless, JPEG2000Lossless, JPEGLossless])
def test_a_compression_without_a_decoder_names_it_and_the_extra(tmp_path, syntax, monkeypatch):
    monkeypatch.setattr(Decoder, "is_available", False)
    path = compressed(tmp_path / "a.dcm", syntax)
    with pytest.raises(BenchError) as caught:
        read_image(path)
    assert str(path) in str(caught.value) and syntax.name in caught.value.what
    assert "no installed package decodes it" in caught.value.what
    assert "pip install 'prior-bench[dicom]'" in caught.value.fix


def test_the_extra_is_declared():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert any(name.startswith("pylibjpeg") for name in project["optional-dependencies"]["dicom"])
