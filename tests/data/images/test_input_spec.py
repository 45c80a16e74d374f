"""The fields of an encoder's input that were added later: filter and cropped share."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from prior_bench.api import InputSpec
from prior_bench.data.images.transforms import brightened, dense_transform, eval_transform
from prior_bench.errors import BenchError


def picture(height=90, width=120):
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def test_keys_leave_out_later_fields_at_their_defaults():
    assert InputSpec().to_dict() == dict(size=224, channels=3, mean=0.5, std=0.5, resize="pad")
    assert str(InputSpec(64, 1)) == "InputSpec(size=64, channels=1, mean=0.5, std=0.5, resize='pad')"
    later = InputSpec(64, interpolation="bicubic", resize_to=73)
    assert later.to_dict() | {} == {**InputSpec(64).to_dict(), "interpolation": "bicubic", "resize_to": 73}
    assert InputSpec(**later.to_dict()) == later
    assert InputSpec(64, resize_to=64) == InputSpec(64)


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_the_crop_equals_pillow_s(interpolation):
    spec = InputSpec(48, 1, 0.0, 1 / 255, "crop", interpolation, resize_to=60)
    image = picture()
    found = eval_transform(spec)(image)[0].numpy()
    filter = v2.InterpolationMode(interpolation)
    steps = v2.Compose([v2.Resize(60, interpolation=filter, antialias=True), v2.CenterCrop(48)])
    expected = np.asarray(steps(Image.fromarray(image)), np.float32)
    assert np.abs(found - expected).max() <= 2
    other = "bicubic" if interpolation == "bilinear" else "bilinear"
    changed = eval_transform(spec.changed({"interpolation": other}))(image)[0].numpy()
    assert np.abs(changed - expected).max() > 5


def test_squash_and_pad_crop_the_centre_too():
    image = picture(100, 100)
    whole = eval_transform(InputSpec(100, 1, 0.0, 1 / 255))(image)
    for resize in ("squash", "pad", "crop"):
        spec = InputSpec(80, 1, 0.0, 1 / 255, resize, resize_to=100)
        assert torch.equal(eval_transform(spec)(image), whole[:, 10:90, 10:90])


def test_boxes_and_masks_move_with_the_crop():
    spec = InputSpec(80, 1, 0.0, 1.0, "squash", resize_to=100)
    image, mask = np.zeros((200, 100), np.uint8), np.zeros((200, 100), np.uint8)
    image[80:120, 30:50] = 255
    mask[80:120, 30:50] = 1
    boxes = np.array([[30, 80, 50, 120, 0]], np.float32)
    pixels, moved, drawn, geometry = dense_transform(spec)(image, boxes, mask)
    assert moved.tolist() == [[20, 30, 40, 50, 0]]
    assert torch.equal(drawn, (pixels[0] > 0.5).to(torch.uint8))
    assert np.allclose(geometry.to_original(moved), boxes)


def test_a_protocol_s_resize_replaces_the_crop():
    image = picture(100, 100)
    spec = InputSpec(80, 1, resize_to=100)
    assert torch.equal(
        eval_transform(spec, dict(Resize=90))(image), eval_transform(InputSpec(80, 1), dict(Resize=90))(image)
    )


def test_changes_keep_the_cropped_share():
    spec = InputSpec(224, resize_to=256)
    assert spec.changed({"size": 448}).resize_to == 512
    assert spec.changed({"resize": "pad"}).resize_to is None
    assert spec.changed({"mean": 0.1}).resize_to == 256
    assert spec.changed({"size": 448, "resize_to": 448}).resize_to is None


def test_wrong_fields_are_refused():
    with pytest.raises(BenchError, match="interpolation .biliner.\n.*bilinear"):
        InputSpec(interpolation="biliner")
    with pytest.raises(BenchError, match="resize_to is 200; must be at least size, which is 224"):
        InputSpec(resize_to=200)


@pytest.mark.parametrize(("rounding", "grey"), [(None, 101), ("nearest", 129), ("down", 128)])
def test_pixels_may_be_multiplied_until_the_brightest_is_white(rounding, grey):
    image = np.full((8, 8), 101, np.uint8)  # x 255 / 200 = 128.775
    image[0, 0] = 200
    spec = InputSpec(8, 1, 0.0, 1 / 255, brighten=rounding)
    for made in (eval_transform(spec)(image), dense_transform(spec)(image)[0]):
        assert made[0, 4, 4] == pytest.approx(grey)
        assert made.max() == pytest.approx(255 if rounding else 200)


def test_black_and_white_images_are_not_multiplied():
    for value in (0, 255):
        image = np.full((8, 8), value, np.uint8)
        assert brightened(image, "nearest") is image
    assert brightened(np.zeros((0, 0), np.uint8), "down").size == 0


def test_how_to_brighten_must_be_known():
    with pytest.raises(BenchError, match="did you mean nearest"):
        InputSpec(8, brighten="nearst")
    assert "brighten" not in InputSpec(8).to_dict() and InputSpec(8, brighten="down").to_dict()["brighten"]
