"""The filters and the rounding of the papers' code: OpenCV's and torchvision's."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from prior_bench.api import InputSpec
from prior_bench.data.images.geometry import Geometry
from prior_bench.data.images.transforms import dense_transform, eval_transform
from prior_bench.errors import BenchError

SIZES = [(100, 100), (97, 131), (131, 97), (200, 150), (61, 200)]


def picture(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def plain(**fields):
    return InputSpec(channels=1, mean=0.0, std=1 / 255, **fields)


FILTERS = [("area", "INTER_AREA"), ("bilinear_aliased", "INTER_LINEAR")]
RESIZES = [(h, w, size) for h, w in SIZES for size in (48, 96)]
COMPARED = [
    (filter, flag, h, w, size)
    for filter, flag in FILTERS
    for h, w, size in RESIZES
    # OpenCV has no area filter where one side is enlarged and the other reduced; the next test has one
    if filter != "area" or not h < size < w
]


@pytest.mark.parametrize(("filter", "flag", "height", "width", "size"), COMPARED)
def test_a_filter_equals_opencv_s(filter, flag, height, width, size):
    cv2 = pytest.importorskip("cv2")
    image = picture(height, width)
    expected = cv2.resize(image, (size, size), interpolation=getattr(cv2, flag))
    found = eval_transform(plain(size=size, resize="squash", interpolation=filter))(image)[0].numpy()
    assert np.abs(found - expected).max() <= 1


def test_area_with_one_side_enlarged_and_the_other_reduced_is_the_mean_of_what_a_pixel_covers():
    image = picture(61, 200)
    found = eval_transform(plain(size=96, resize="squash", interpolation="area"))(image)[0].numpy()
    fine = image.repeat(96, axis=0).repeat(12, axis=1)  # parts that both grids divide: 61 * 96 by 200 * 12
    expected = fine.reshape(96, 61, 96, 25).mean(axis=(1, 3))
    assert np.abs(found - expected).max() <= 0.5 + 1e-3


def test_area_enlarges_as_opencv_does():
    cv2 = pytest.importorskip("cv2")
    image = picture(40, 30)
    expected = cv2.resize(image, (96, 96), interpolation=cv2.INTER_AREA)
    found = eval_transform(plain(size=96, resize="squash", interpolation="area"))(image)[0].numpy()
    assert np.abs(found - expected).max() <= 1


def test_area_is_the_mean_of_blocks_and_keeps_constants():
    image = picture(96, 48)
    found = eval_transform(plain(size=24, resize="squash", interpolation="area"))(image)[0].numpy()
    means = image.reshape(24, 4, 24, 2).mean(axis=(1, 3))
    assert np.abs(found - means).max() <= 0.5
    for value in (0, 255):
        full = np.full((97, 53), value, np.uint8)
        made = eval_transform(plain(size=24, resize="squash", interpolation="area"))(full)
        assert torch.allclose(made, torch.tensor(float(value)))


@pytest.mark.parametrize(("height", "width"), [*SIZES, (1000, 1201), (390, 320), (389, 523)])
def test_rounding_down_crops_as_torchvision_does(height, width):
    steps = v2.Compose([v2.Resize(48, antialias=True), v2.CenterCrop(48)])
    expected = np.asarray(steps(Image.fromarray(picture(height, width))), np.float32)
    found = eval_transform(plain(size=48, resize="crop", rounding="down"))(picture(height, width))[0].numpy()
    assert np.abs(found - expected).max() <= 2


def test_rounding_changes_the_length_of_the_other_side_only():
    for mode in ("pad", "crop"):
        near, down = (Geometry.of(90, 47, 32, mode, None, rounding) for rounding in ("nearest", "down"))
        exact = 47 * 32 / 90 if mode == "pad" else 90 * 32 / 47
        other = 1 if mode == "pad" else 0
        assert (near.scaled[other], down.scaled[other]) == (round(exact), int(exact))
        assert near.scaled[1 - other] == down.scaled[1 - other] == 32
    assert Geometry.of(103, 50, 256, "pad", None, "down").scaled[0] == 256
    assert Geometry.of(90, 47, 32, "squash", None, "down") == Geometry.of(90, 47, 32, "squash")


def test_padding_before_the_crop_keeps_the_smaller_half_first():
    """233 columns in 256 get 11 on the left and 12 on the right; 16 are then cropped from each side."""
    direct = Geometry.of(256, 233, 224, "pad", 256, "down")
    assert direct.offset == (-16, 11 - 16)


def test_boxes_and_masks_follow_the_rounding():
    spec = plain(size=64, resize="pad", rounding="down", interpolation="area")
    image, mask = np.zeros((150, 118), np.uint8), np.zeros((150, 118), np.uint8)
    image[60:90, 0:118] = 255
    mask[60:90, 0:118] = 1
    pixels, boxes, drawn, geometry = dense_transform(spec)(image, np.float32([[0, 60, 118, 90, 0]]), mask)
    columns = pixels[0].amax(dim=0).nonzero()
    assert (boxes[0, 0], boxes[0, 2]) == (columns.min(), columns.max() + 1) == (7, 57)
    assert torch.equal(drawn.amax(dim=0).nonzero(), columns)
    assert np.allclose(geometry.to_original(boxes)[0, :4], [0, 60, 118, 90], atol=1e-4)


def test_keys_leave_the_rounding_out_at_its_default():
    assert InputSpec(rounding="nearest").to_dict() == InputSpec().to_dict()
    assert InputSpec(rounding="down").to_dict() == {**InputSpec().to_dict(), "rounding": "down"}
    assert InputSpec().changed({"rounding": "down", "interpolation": "area"}).rounding == "down"


def test_a_misspelt_rounding_has_a_suggestion():
    with pytest.raises(BenchError, match="did you mean down"):
        InputSpec(rounding="dwon")


def test_libraries_get_a_filter_that_they_know():
    names = {name: InputSpec(interpolation=name).library_interpolation for name in ("bicubic", "area")}
    assert names == {"bicubic": "bicubic", "area": "bilinear"}
    assert InputSpec(interpolation="bilinear_aliased").library_interpolation == "bilinear"
