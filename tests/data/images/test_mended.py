"""Which data sets get new keys because their files are read otherwise than before: those, and no others."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile
from PIL import Image
from writers import write_dicom

from prior_bench.data.annotations import FileMask, UnionMask
from prior_bench.data.images.cache.reference import ReducedMask
from prior_bench.data.images.mended import image_is_mended, mask_is_mended, versions_of_files
from prior_bench.data.manifest import Manifest
from prior_bench.versions import MACHINERY

GREY = np.arange(12 * 20, dtype=np.uint8).reshape(12, 20)
DEEP = GREY.astype(np.uint16) * 16


def dicom(pixels=DEEP, **tags):
    return lambda path: write_dicom(path, pixels, **tags)


def pillow(pixels, mode=None, **options):
    def write(path):
        image = Image.fromarray(pixels)
        (image.convert(mode) if mode else image).save(path, **options)

    return write


def tiff(pixels, **options):
    return lambda path: tifffile.imwrite(path, pixels, **options)


def big_endian(path):
    """The header alone, in big endian with a window, as far as it is looked at."""
    bits, window = b"\0\x28\x01\x01US\0\x02\0\x10", b"\0\x28\x10\x50DS\0\x02" + b"5 "
    path.write_bytes(bytes(128) + b"DICM" + bits + window + b"\x7f\xe0\0\x10OW")


def deep_colour(path):
    import cv2

    cv2.imwrite(str(path), np.stack([DEEP] * 3, -1))


UNCHANGED = {
    "a.jpg": pillow(GREY),
    "rgb.jpg": pillow(GREY, "RGB"),
    "grey.png": pillow(GREY),
    "deep.png": pillow(DEEP),
    "rgba.png": pillow(GREY, "RGBA"),
    "palette.png": pillow(GREY, "P"),
    "a.bmp": pillow(GREY),
    "a.tif": pillow(GREY),
    "rgb.tif": pillow(GREY, "RGB"),
    "white.tif": tiff(GREY, photometric="miniswhite"),
    "deep.tif": tiff(DEEP),
    "a.dcm": dicom(GREY),
    "deep.dcm": dicom(),
    "rescaled.dcm": dicom(kind="MONOCHROME1", RescaleSlope=2, RescaleIntercept=-7),
}
CHANGED = {
    "colour.png": deep_colour,
    "white.tif": tiff(DEEP, photometric="miniswhite"),
    "colour.tif": tiff(np.stack([DEEP] * 3, -1), photometric="rgb"),
    "float.tif": tiff(DEEP / 3),
    "signed.tif": tiff(GREY.astype(np.int8)),
    "turned.tif": pillow(GREY, tiffinfo={274: 6}),
    "window.dcm": dicom(WindowCenter=5, WindowWidth=9),
    "padding.dcm": dicom(PixelPaddingValue=0),
    "few.dcm": dicom(GREY // 16, BitsStored=4, HighBit=3),
    "big_endian": big_endian,
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_kinds_that_are_read_as_ever(tmp_path, name):
    UNCHANGED[name](tmp_path / name)
    assert not image_is_mended(tmp_path / name)


@pytest.mark.parametrize("name", CHANGED)
def test_kinds_that_are_read_otherwise(tmp_path, name):
    CHANGED[name](tmp_path / name)
    assert image_is_mended(tmp_path / name)


def test_masks(tmp_path):
    pillow(GREY)(tmp_path / "plain.png")
    pillow(GREY > 9)(tmp_path / "bits.png")
    for name in ("plain.png", "bits.png", "absent.png"):
        assert not mask_is_mended(tmp_path / name)
    pillow(GREY)(tmp_path / "lossy.jpg")
    pillow(GREY, "LA")(tmp_path / "alpha.png")
    pillow(DEEP)(tmp_path / "deep.png")
    for name in ("lossy.jpg", "alpha.png", "deep.png"):
        assert mask_is_mended(tmp_path / name)
        one = FileMask(name, tmp_path)
        for mask in (one, UnionMask((FileMask("plain.png", tmp_path), one)), ReducedMask(one, (12, 20))):
            assert versions_of_files([], [None, mask]) == {"mask_kinds": MACHINERY["mask_kinds"].version}


def manifest(folder, image: str, mask: str | None = None) -> Manifest:
    table = pd.DataFrame({"id": ["a"], "patient_id": ["a"], "image": [image], "split": ["train"]})
    if mask:
        table["mask"] = pd.Series([FileMask(mask, folder)], dtype=object)
    return Manifest("planted", folder, table)


def test_fingerprints_change_where_files_are_read_otherwise_and_nowhere_else(tmp_path, monkeypatch):
    UNCHANGED["deep.dcm"](tmp_path / "deep.dcm")
    CHANGED["window.dcm"](tmp_path / "window.dcm")
    pillow(GREY)(tmp_path / "plain.png")
    pillow(DEEP)(tmp_path / "deep.png")
    cases = [("deep.dcm", None), ("window.dcm", None), ("deep.dcm", "plain.png"), ("deep.dcm", "deep.png")]
    today = [manifest(tmp_path, *case).fingerprint() for case in cases]
    for part in ("image_kinds", "mask_kinds"):
        monkeypatch.setitem(MACHINERY, part, replace(MACHINERY[part], version=1))
    before = [manifest(tmp_path, *case).fingerprint() for case in cases]
    assert [one == other for one, other in zip(today, before, strict=True)] == [True, False, True, False]
