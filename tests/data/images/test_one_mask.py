"""One known mask in files of every kind is read back pixel by pixel, or a remark says what was guessed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import (
    Written,
    write_dicom_kind,
    write_jpeg,
    write_palette,
    write_png_kind,
    write_tiff,
)
from PIL import Image

from prior_bench.data.annotations import FileMask
from prior_bench.data.images.decode import decode_mask

FILES = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MASK = np.zeros((24, 35))
MASK[3:11, 4:20] = MASK[15:20, 25:33] = 1
ALPHA = st.sampled_from(["none", "opaque", "picture"])
ORIENTATIONS = st.integers(1, 8)


def require_mask(written: Written, guess: set[str]) -> None:
    """Read the file and compare with MASK."""
    pixels, remarks = decode_mask(written.path)
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, MASK)
    np.testing.assert_array_equal(FileMask(written.path).decode(*MASK.shape), MASK)
    assert {remark.kind for remark in remarks} == guess


@FILES
@given(bits=st.integers(1, 16), colours=st.sampled_from([1, 3]), alpha=ALPHA, orientation=ORIENTATIONS)
def test_png(tmp_path, **options):
    written = write_png_kind(tmp_path / "a.png", MASK, low=0, **options)
    require_mask(written, {"alpha"} if options["alpha"] == "picture" else set())


@FILES
@given(mode=st.sampled_from(["L", "RGB"]), progressive=st.booleans(), orientation=ORIENTATIONS)
def test_jpeg(tmp_path, **options):
    require_mask(write_jpeg(tmp_path / "a.jpg", MASK, **options), {"levels"})


@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_palette(tmp_path, suffix):
    require_mask(write_palette(tmp_path / f"a.{suffix}", MASK, shuffled=True), set())


@settings(FILES, max_examples=100)
@given(
    kind=st.sampled_from(["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]),
    bits=st.integers(8, 30), inverted=st.booleans(), colours=st.sampled_from([1, 3]), alpha=ALPHA,
    planar=st.booleans(), compression=st.sampled_from([None, "zlib"]), byteorder=st.sampled_from(["<", ">"]),
    orientation=ORIENTATIONS, bad_pixel=st.booleans(), pages=st.sampled_from([1, 1, 2]),
)  # fmt: skip
def test_tiff(tmp_path, **options):
    written = write_tiff(tmp_path / "a.tif", MASK, low=0, **options)
    require_mask(written, written.guess)


@FILES
@given(
    bits=st.integers(1, 16), inverted=st.booleans(),
    rescale=st.sampled_from([None, (1.0, 0.0), (2.0, -1000.0)]),
    window=st.sampled_from(["none", "whole", "outside"]), colours=st.sampled_from([1, 3]),
    floats=st.booleans(), rle=st.booleans(),
)  # fmt: skip
def test_dicom(tmp_path, **options):
    """A window does not matter to a mask."""
    if options["rescale"] == (2.0, -1000.0) and options["bits"] < 11:
        options["rescale"] = None
    written = write_dicom_kind(tmp_path / "mask", MASK, signed=False, padding=False, **options)
    require_mask(written, set())


# --- what is no plain mask ---


def read(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    found, remarks = decode_mask(path)
    return found, [(remark.kind, remark.text) for remark in remarks]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_mask_that_is_full_or_empty(tmp_path, kind):
    full, remarks = read(tmp_path / "a.png", np.full((5, 6), np.iinfo(kind).max, kind))
    assert full.all() and not remarks
    empty, remarks = read(tmp_path / "b.png", np.zeros((5, 6), kind))
    assert not empty.any() and not remarks


def test_numbers_of_regions_are_all_inside_also_small_ones_among_16_bits(tmp_path):
    numbers = np.array([[0, 1, 2], [0, 700, 60000]], np.uint16)
    mask, remarks = read(tmp_path / "a.png", numbers)
    np.testing.assert_array_equal(mask, numbers > 0)
    assert remarks == [("levels", "mask has 5 grey levels; those above 0 are inside")]


def test_faint_colours_are_inside(tmp_path):
    """Luminance would round them to 0: (1, 0, 0) is the first region of COCO's panoptic masks."""
    colours = np.zeros((2, 3, 3), np.uint8)
    colours[0, 0], colours[1, 2] = (1, 0, 0), (0, 0, 3)
    mask, _ = read(tmp_path / "a.png", colours)
    np.testing.assert_array_equal(mask, [[1, 0, 0], [0, 0, 1]])


def test_a_jpeg_mask_of_small_values_is_cut_at_half_of_its_own(tmp_path):
    mask, remarks = read(tmp_path / "a.jpg", (MASK * 40).astype(np.uint8), quality=90)
    np.testing.assert_array_equal(mask, MASK)
    assert [kind for kind, _ in remarks] == ["levels"]


@pytest.mark.parametrize("background", [(255, 255, 255), (0, 0, 0)])
@pytest.mark.parametrize("drawn", [(255, 0, 0), (0, 0, 0), (255, 255, 255)])
def test_what_is_drawn_on_a_transparent_ground(tmp_path, background, drawn):
    pixels = np.zeros((*MASK.shape, 4), np.uint8)
    pixels[..., :3] = background
    pixels[MASK > 0] = (*drawn, 255)
    mask, remarks = read(tmp_path / "a.png", pixels)
    np.testing.assert_array_equal(mask, MASK)
    agree = background == (0, 0, 0) and any(drawn)  # colours and alpha say the same
    assert [kind for kind, _ in remarks] == ([] if agree else ["alpha"])


def test_a_palette_of_one_colour_falls_back_on_indices(tmp_path):
    image = Image.fromarray(MASK.astype(np.uint8)).convert("P")
    image.putdata(MASK.astype(int).reshape(-1).tolist())
    image.putpalette([0] * 768)
    image.save(tmp_path / "a.png")
    mask, remarks = decode_mask(tmp_path / "a.png")
    np.testing.assert_array_equal(mask, MASK)
    assert [remark.kind for remark in remarks] == ["colour"]


def test_probabilities_are_cut_at_half(tmp_path):
    soft = np.where(MASK > 0, 0.9, 0.1).astype(np.float32)
    soft[0] = 0.2
    mask, remarks = read(tmp_path / "a.tif", soft)
    np.testing.assert_array_equal(mask, MASK)
    assert [kind for kind, _ in remarks] == ["levels"]
