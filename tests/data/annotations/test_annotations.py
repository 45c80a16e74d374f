"""Masks against hand-drawn ones and an independent decoder."""

import numpy as np
import pytest
from PIL import Image

from prior_bench.data.annotations.masks import BoxMask, FileMask, RleMask, ShapeMask
from prior_bench.errors import BenchError


def slow_decode(runs, height, width):
    """Pixel by pixel: relative gaps, down the columns."""
    mask = np.zeros((height, width), np.uint8)
    for text in runs:
        numbers = [int(n) for n in text.split()]
        position = 0
        for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
            position += gap
            for pixel in range(position, position + length):
                mask[pixel % height, pixel // height] = 1
            position += length
    return mask


def test_rle_by_hand():
    # 3 rows, 4 columns: skip 1, draw 2 (rest of column 0), skip 1, draw 1 (row 1 of column 1)
    expected = [[0, 0, 0, 0], [1, 1, 0, 0], [1, 0, 0, 0]]
    np.testing.assert_array_equal(RleMask(("1 2 1 1",)).decode(3, 4), expected)


def test_rle_of_several_regions_is_their_union():
    rng = np.random.default_rng(1)
    height, width = 17, 23
    for _ in range(30):
        runs = []
        for _ in range(rng.integers(0, 4)):
            edges = np.sort(rng.choice(height * width, 2 * rng.integers(1, 6), replace=False))
            runs.append(" ".join(map(str, np.diff(edges, prepend=0))))
        mask = RleMask(tuple(runs)).decode(height, width)
        np.testing.assert_array_equal(mask, slow_decode(runs, height, width))
        assert mask.dtype == np.uint8 and mask.shape == (height, width)


def test_rle_without_regions_is_negative():
    assert not RleMask().decode(5, 4).any()


def test_rle_may_end_on_the_last_pixel_but_not_beyond():
    assert RleMask(("10 2",)).decode(3, 4)[-1, -1] == 1
    with pytest.raises(BenchError, match="reaches 13, outside the image's 12 pixels"):
        RleMask(("10 3",)).decode(3, 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [("5 -1", "negative number"), ("1 2 3", "odd count"), ("1 x", "other than integers")],
)
def test_rle_that_is_none(text, message):
    with pytest.raises(BenchError, match=message):
        RleMask((text,)).decode(3, 4)


def test_boxes_are_filled_and_cut_off():
    boxes = np.array([[1, 0, 3, 2, 0], [2, 1, 9, 9, 0]], np.float32)
    expected = [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    np.testing.assert_array_equal(BoxMask(boxes).decode(3, 4), expected)
    assert not BoxMask(np.zeros((0, 5), np.float32)).decode(3, 4).any()


def test_file_mask(tmp_path):
    stored = np.array([[0, 255], [1, 0]], np.uint8)
    Image.fromarray(stored).save(tmp_path / "m.png")
    np.testing.assert_array_equal(FileMask("m.png", tmp_path).decode(2, 2), [[0, 1], [1, 0]])
    np.testing.assert_array_equal(FileMask(tmp_path / "m.png").decode(2, 2), [[0, 1], [1, 0]])
    with pytest.raises(BenchError, match="mask is 2x2 pixels, its image 3x2"):
        FileMask("m.png", tmp_path).decode(2, 3)
    with pytest.raises(BenchError, match="no such image file"):
        FileMask("none.png", tmp_path).decode(2, 2)


def test_file_mask_is_told_by_its_name_not_its_place():
    assert repr(FileMask("m.png", "/one")) == repr(FileMask("m.png", "/two"))
    assert FileMask("m.png", "/one") == FileMask("m.png", "/two")


def test_shapes_are_filled_united_and_cut_off():
    mask = ShapeMask(
        (("rectangle", (1.0, 1.0, 2.0, 3.0)), ("polygon", (4.0, 0.0, 9.0, 0.0, 4.0, 5.0)))
    ).decode(6, 7)
    assert mask.shape == (6, 7) and mask.dtype == np.uint8
    assert mask[1:4, 1:3].all() and mask[:, 1:3].sum() == 6
    assert mask[0, 4:].all() and mask[5, 4] and not mask[5, 5:].any()  # runs out on the right
    disc = ShapeMask((("ellipse", (0.0, 0.0, 20.0, 20.0)),)).decode(21, 21)
    assert disc.sum() == pytest.approx(np.pi * 10.5**2, rel=0.02) and not disc[0, 0]
    assert not ShapeMask().decode(3, 3).any()
