"""Transforms: shapes, statistics, augmentations by name, and boxes and masks that follow the pixels."""

import pickle

import numpy as np
import pytest
import torch
from PIL import Image

from prior_bench.api import InputSpec
from prior_bench.data.images.geometry import Geometry
from prior_bench.data.images.transforms import AUGMENTATIONS, dense_transform, eval_transform, train_transform
from prior_bench.errors import BenchError

MODES = ["squash", "pad", "crop"]
SHAPES = [(300, 200), (200, 300), (97, 131), (224, 224), (40, 50)]


def blob(height, width, box):
    image = np.zeros((height, width), np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = 255
    return image


def extent(pixels):
    rows, columns = np.flatnonzero(pixels.any(axis=1)), np.flatnonzero(pixels.any(axis=0))
    return [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_eval_shape_and_statistics(mode, shape, channels):
    spec = InputSpec(size=64, channels=channels, mean=0.4, std=0.25, resize=mode)
    out = eval_transform(spec)(np.full(shape, 204, np.uint8))
    assert out.shape == (channels, 64, 64) and out.dtype == torch.float32 and out.is_contiguous()
    assert out[0, 32, 32].item() == pytest.approx((0.8 - 0.4) / 0.25, abs=1e-5)
    expected_corner = (0.8 - 0.4) / 0.25 if mode != "pad" or shape[0] == shape[1] else -0.4 / 0.25
    assert out[0, 0, 0].item() == pytest.approx(expected_corner, abs=1e-5)


def test_resize_agrees_with_pillow():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (150, 200), dtype=np.uint8)
    out = eval_transform(InputSpec(size=64, channels=1, mean=0, std=1, resize="squash"))(image)
    expected = np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BILINEAR), np.float32)
    assert np.abs(out[0].numpy() * 255 - expected).max() <= 1.01


def test_resize_larger_then_centre_crop():
    spec = InputSpec(size=56, channels=1, mean=0, std=1, resize="pad")
    image = np.random.default_rng(0).integers(0, 255, (90, 120), dtype=np.uint8)
    whole = eval_transform(InputSpec(size=64, channels=1, mean=0, std=1, resize="pad"))(image)
    for cfg in (dict(Resize=64), dict(Resize=dict(size=64))):
        torch.testing.assert_close(eval_transform(spec, cfg)(image), whole[:, 4:60, 4:60])


# --- geometry ---


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", SHAPES)
def test_boxes_go_forth_and_exactly_back(mode, shape):
    height, width = shape
    geometry = Geometry.of(height, width, 64, mode)
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.uniform(0, width, (50, 2))), np.sort(rng.uniform(0, height, (50, 2)))
    boxes = np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).astype(np.float32)
    back = geometry.to_original(geometry.boxes(boxes))
    np.testing.assert_allclose(back, boxes, atol=1e-3)
    np.testing.assert_array_equal(geometry.to_original(torch.from_numpy(geometry.boxes(boxes))), back)


def test_boxes_by_hand():
    # 100 high, 200 wide, padded to 64: scaled to 32 x 64, 16 rows of padding above
    geometry = Geometry.of(100, 200, 64, "pad")
    assert (geometry.scaled, geometry.offset) == ((32, 64), (16, 0))
    np.testing.assert_allclose(geometry.boxes(np.array([[0, 0, 200, 100, 7]])), [[0, 16, 64, 48, 7]])
    np.testing.assert_allclose(geometry.to_original(np.array([[-5, 0, 70, 64.0]])), [[0, 0, 200, 100]])
    # cropped: scaled to 64 x 128, 32 columns lost on either side
    geometry = Geometry.of(100, 200, 64, "crop")
    np.testing.assert_allclose(geometry.boxes(np.array([[50, 0, 150, 100]])), [[0, 0, 64, 64]])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("shape", [(300, 200), (200, 300)])
def test_image_mask_and_boxes_move_together(mode, shape):
    box = (60, 80, 140, 150)
    image = blob(*shape, box)
    spec = InputSpec(size=96, channels=1, mean=0, std=1, resize=mode)
    out, boxes, mask, geometry = dense_transform(spec)(image, np.array([box], np.float32), image // 255)
    assert mask.dtype == torch.uint8 and mask.shape == (96, 96)
    np.testing.assert_allclose(extent(out[0].numpy() > 0.5), boxes[0], atol=1)
    np.testing.assert_allclose(extent(mask.numpy()), boxes[0], atol=1)
    np.testing.assert_allclose(geometry.to_original(boxes)[0], box, atol=1e-3)


def test_boxes_outside_the_crop_are_dropped_with_their_class():
    spec = InputSpec(size=64, resize="crop")
    boxes = np.array([[0, 0, 20, 20, 3], [90, 40, 110, 60, 5]], np.float32)
    _, kept, mask, _ = dense_transform(spec)(np.zeros((100, 200), np.uint8), boxes)
    assert mask is None and kept[:, 4].tolist() == [5]


def test_nothing_drawn_is_nothing_drawn():
    image, spec = np.zeros((50, 60), np.uint8), InputSpec(size=32)
    out, boxes, mask, geometry = dense_transform(spec)(image, None, None)
    assert boxes is None and mask is None and geometry is not None
    _, boxes, _, _ = dense_transform(spec, dict(RandomHorizontalFlip=dict(p=1.0)))(image, np.zeros((0, 5)))
    assert boxes.shape == (0, 5)


# --- augmentation ---


def test_flip_moves_boxes_and_masks():
    box = (10, 20, 30, 60)
    image = blob(100, 100, box)
    transform = dense_transform(
        InputSpec(size=100, channels=1, mean=0, std=1), dict(RandomHorizontalFlip=dict(p=1.0))
    )
    out, boxes, mask, geometry = transform(image, np.array([[*box, 2]], np.float32), image // 255)
    np.testing.assert_allclose(boxes, [[70, 20, 90, 60, 2]])
    assert extent(out[0].numpy() > 0.5) == extent(mask.numpy()) == [70, 20, 90, 60]
    assert geometry is None


@pytest.mark.parametrize("seed", range(4))
def test_random_affine_and_crop_keep_boxes_around_the_blob(seed):
    box = (60, 80, 120, 130)
    image = blob(200, 200, box)
    cfg = dict(
        RandomResizedCrop=dict(scale=[0.6, 1.0]),
        RandomAffine=dict(degrees=0, translate=[0.1, 0.1], scale=[0.9, 1.1]),
    )
    torch.manual_seed(seed)
    out, boxes, mask, _ = dense_transform(InputSpec(size=128, channels=1, mean=0, std=1), cfg)(
        image, np.array([box], np.float32), image // 255
    )
    assert len(boxes) == 1
    np.testing.assert_allclose(extent(out[0].numpy() > 0.5), boxes[0], atol=2)
    np.testing.assert_allclose(extent(mask.numpy()), boxes[0], atol=2)


@pytest.mark.parametrize("name", sorted(AUGMENTATIONS))
def test_every_augmentation_runs_repeats_with_the_seed_and_can_be_pickled(name):
    arguments = {
        "RandomAffine": dict(degrees=10),
        "RandomRotation": dict(degrees=10),
        "ColorJitter": dict(brightness=0.4, contrast=0.4),
        "GaussianBlur": dict(kernel_size=5),
        "RandomCrop": dict(padding=8),
    }.get(name, {})
    spec = InputSpec(size=48)
    transform = pickle.loads(pickle.dumps(train_transform(spec, {name: arguments})))
    image = np.random.default_rng(0).integers(0, 255, (70, 60), dtype=np.uint8)
    outs = []
    for seed in (0, 0, 1, 2, 3, 4):
        torch.manual_seed(seed)
        outs.append(transform(image))
    assert outs[0].shape == (3, 48, 48)
    assert torch.equal(outs[0], outs[1])
    assert any(not torch.equal(outs[0], out) for out in outs[2:])


def test_probability_applies_to_any_step():
    image = np.random.default_rng(0).integers(0, 255, (48, 48), dtype=np.uint8)
    spec = InputSpec(size=48)
    never = train_transform(spec, dict(ColorJitter=dict(brightness=0.5, p=0.0)))
    assert torch.equal(never(image), eval_transform(spec)(image))


def test_without_augmentation_training_is_evaluation():
    image = np.random.default_rng(0).integers(0, 255, (60, 48), dtype=np.uint8)
    spec = InputSpec(size=48)
    assert torch.equal(train_transform(spec, {})(image), eval_transform(spec)(image))


def test_resize_larger_then_random_crop():
    image = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    spec = InputSpec(size=56, channels=1, mean=0, std=1)
    torch.manual_seed(0)
    out = train_transform(spec, dict(Resize=dict(size=64)))(image)
    whole = torch.from_numpy(image)[None] / 255
    windows = whole.unfold(1, 56, 1).unfold(2, 56, 1).reshape(-1, 56, 56)
    assert (windows - out).abs().amax(dim=(1, 2)).min() < 1e-5


def test_bad_configs():
    spec = InputSpec(size=64)
    with pytest.raises(
        BenchError, match="unknown augmentation 'RandomHorizontalFlp'.*\n.*RandomHorizontalFlip"
    ):
        train_transform(spec, dict(RandomHorizontalFlp={}))
    with pytest.raises(BenchError, match="RandomAffine does not take these arguments"):
        train_transform(spec, dict(RandomAffine=dict(degree=5)))
    with pytest.raises(BenchError, match="smaller than the input size"):
        eval_transform(spec, dict(Resize=32))
    with pytest.raises(BenchError, match="cannot be used in evaluation"):
        eval_transform(spec, dict(RandomHorizontalFlip={}))
    with pytest.raises(BenchError, match="unknown way to resize"):
        eval_transform(InputSpec(size=64, resize="stretch"))(np.zeros((5, 5), np.uint8))


def test_masks_reduced_by_area_are_the_share_of_foreground():
    mask = np.zeros((64, 64), np.uint8)
    mask[8:30, 12:41] = 1
    spec = InputSpec(size=16, resize="squash")
    _, _, soft, _ = dense_transform(spec, None, masks="area")(mask * 200, None, mask)
    assert soft.dtype == torch.float32
    np.testing.assert_allclose(soft, mask.reshape(16, 4, 16, 4).mean((1, 3)), atol=1e-6)
    _, _, hard, _ = dense_transform(spec)(mask * 200, None, mask)
    assert hard.dtype == torch.uint8


def test_the_stored_image_and_the_small_mask_are_augmented_alike():
    mask = np.zeros((64, 64), np.uint8)
    mask[8:30, 12:41] = 1
    steps = {"RandomAffine": {"degrees": (20, 40), "scale": (0.7, 1.2)}}
    how = dict(masks="area", augment="stored")
    transform = dense_transform(InputSpec(size=32, resize="squash", mean=0.0, std=1.0), steps, **how)
    torch.manual_seed(0)
    image, _, soft, geometry = transform(mask * 255, None, mask)
    assert geometry is None
    assert (image[0] - soft).abs().mean() < 0.02 < (image[0] - soft.T).abs().mean()
    other, _, _, _ = transform(mask * 255, None, mask)  # the next draw is another one
    assert (image - other).abs().mean() > 0.01
