"""One known picture in files of every kind is read back, or a remark says what was guessed."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import (
    Written,
    rank_correlation,
    write_dicom_kind,
    write_jpeg,
    write_palette,
    write_png_kind,
    write_tiff,
)

from prior_bench.data.images.read import image_size, read_image, read_with_remarks

FILES = settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ORIENTATIONS = st.integers(1, 8)
ALPHA = st.sampled_from(["none", "opaque", "varying", "picture"])


def picture(seed: int, height: int = 26, width: int = 37) -> np.ndarray:
    """Smooth enough for JPEG, without any symmetry, from 0 to 1."""
    y, x = np.mgrid[:height, :width]
    random = np.random.default_rng(seed)
    waves = sum(
        random.uniform(0.2, 1) * np.cos(x * random.uniform(0.02, 0.2) + y * random.uniform(0.02, 0.2) + p)
        for p in random.uniform(0, 6, 4)
    )
    tilted = waves + x / width + 2 * y / height
    return (tilted - tilted.min()) / (tilted.max() - tilted.min())


def require_read_back(written: Written) -> None:
    """Read the file in all ways and compare."""
    pixels, remarks = read_with_remarks(written.path)
    kinds = {remark.kind for remark in remarks}
    assert pixels.dtype == np.uint8 and pixels.shape == written.shown.shape == image_size(written.path)
    np.testing.assert_array_equal(pixels, read_image(written.path))
    assert kinds >= written.guess
    if not written.lost:
        same = rank_correlation(pixels, written.shown)
        assert same > 0.99, f"rank correlation {same:.3f}, remarks {kinds}"
        few = len(np.unique(written.shown)) <= 64
        assert not kinds - written.guess - ({"range"} if few else set())


SEEDS = st.integers(0, 50)


@FILES
@given(
    seed=SEEDS, bits=st.integers(1, 16), colours=st.sampled_from([1, 3]), alpha=ALPHA,
    low=st.sampled_from([0, 1000, 30000]), orientation=ORIENTATIONS,
)  # fmt: skip
def test_png(tmp_path, seed, **options):
    options["low"] = min(options["low"], 65535 - 2 ** options["bits"]) if options["bits"] < 16 else 0
    require_read_back(write_png_kind(tmp_path / "a.png", picture(seed), **options))


@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("suffix", ["png", "gif", "bmp", "tif"])
def test_palette(tmp_path, suffix, shuffled):
    require_read_back(write_palette(tmp_path / f"a.{suffix}", picture(0), shuffled=shuffled))


@FILES
@given(
    seed=SEEDS,
    mode=st.sampled_from(["L", "RGB", "CMYK"]),
    progressive=st.booleans(),
    orientation=ORIENTATIONS,
)
def test_jpeg(tmp_path, seed, **options):
    require_read_back(write_jpeg(tmp_path / "a.jpg", picture(seed), **options))


@settings(FILES, max_examples=120)
@given(
    seed=SEEDS,
    kind=st.sampled_from(["u1", "u2", "u4", "i1", "i2", "i4", "f2", "f4", "f8"]),
    bits=st.integers(8, 30), low=st.sampled_from([0, 1000]), inverted=st.booleans(),
    colours=st.sampled_from([1, 1, 3]), alpha=ALPHA, planar=st.booleans(),
    compression=st.sampled_from([None, "zlib"]), byteorder=st.sampled_from(["<", ">"]),
    orientation=ORIENTATIONS, bad_pixel=st.booleans(), pages=st.sampled_from([1, 1, 1, 2]),
)  # fmt: skip
def test_tiff(tmp_path, seed, **options):
    require_read_back(write_tiff(tmp_path / "a.tif", picture(seed), **options))


@settings(FILES, max_examples=60)
@given(
    seed=SEEDS, bits=st.integers(1, 16), signed=st.booleans(), inverted=st.booleans(),
    rescale=st.sampled_from([None, (1.0, 0.0), (2.0, -1000.0), (-1.0, 4095.0), (0.25, 3.5)]),
    window=st.sampled_from(["none", "whole", "outside"]), padding=st.booleans(),
    colours=st.sampled_from([1, 1, 1, 3]), floats=st.booleans(), rle=st.booleans(),
    name=st.sampled_from(["a.dcm", "1.2.826.0.1.3680043.8.498.1234", "a.ima", "a", "a.png"]),
)  # fmt: skip
def test_dicom(tmp_path, seed, name, **options):
    require_read_back(write_dicom_kind(tmp_path / name, picture(seed), **options))
