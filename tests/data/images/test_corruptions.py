"""Corruptions: monotone, the same for an image whatever its order and resolution, and refused where wrong."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.api import InputSpec
from prior_bench.data.images.corruptions import SEVERITIES, Condition, conditions, corrupt
from prior_bench.data.images.read import read_image
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.features.extract import Feed, image_batches
from prior_bench.registry import CORRUPTIONS

NAMES = ("noise", "blur", "contrast", "jpeg", "exposure", "rotation")
RADIOGRAPHS = sorted((Path(__file__).parents[1] / "hannover_cxr" / "images").glob("*"))[:4]
GREY = np.full((224, 224), 128, np.uint8)


def psnr(image, changed):
    return 10 * np.log10(255**2 / np.mean((image.astype(float) - changed) ** 2))


def test_all_six_are_found_by_name():
    assert set(NAMES) <= set(CORRUPTIONS.names())


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_severity_leaves_less_of_a_radiograph(name):
    images = [read_image(path) for path in RADIOGRAPHS]
    left = [
        np.mean([psnr(image, corrupt(image, str(i), Condition(name, s))) for i, image in enumerate(images)])
        for s in SEVERITIES
    ]
    assert all(milder > harsher + 0.2 for milder, harsher in zip(left[:-1], left[1:], strict=True)), left


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_follows_the_image_s_id(name):
    image = read_image(RADIOGRAPHS[0])
    before = image.copy()
    first = corrupt(image, "a", Condition(name, 3))
    assert first.dtype == np.uint8 and first.shape == image.shape and not np.array_equal(first, image)
    assert np.array_equal(first, corrupt(image, "a", Condition(name, 3)))
    assert np.array_equal(image, before), "the image itself stays"
    others = [corrupt(image, str(i), Condition(name, 3)) for i in range(8)]
    draws = name in ("noise", "exposure", "rotation")
    assert any(not np.array_equal(first, other) for other in others) == draws


def test_the_order_of_the_images_does_not_matter(tiny, context):
    feed = Feed(InputSpec(size=48, channels=1), condition=Condition("noise", 2))
    order = np.random.default_rng(0).permutation(len(tiny))
    (straight, _), *_ = image_batches(tiny.select(np.sort(order[:32])), feed, context, "")
    (shuffled, _), *_ = image_batches(tiny.select(order[:32]), feed, context, "")
    assert np.array_equal(shuffled, straight[np.argsort(np.argsort(order[:32]))])


@pytest.mark.parametrize("side", [112, 224, 448])
def test_noise_is_the_same_at_any_resolution(side):
    noisy = corrupt(np.full((side, 2 * side), 128, np.uint8), "a", Condition("noise", 1)).astype(np.float32)
    coarse = np.asarray(Image.fromarray(noisy).resize((224, 112), Image.Resampling.BOX))
    # of white noise with a deviation of 0.08, four grains are averaged
    assert coarse.std() == pytest.approx(0.08 * 255 / 2, rel=0.05)
    assert coarse.mean() == pytest.approx(128, abs=0.5)


def test_blur_is_the_same_at_any_resolution():
    small = np.array(Image.open(RADIOGRAPHS[0]).convert("L").resize((128, 128)))
    large = np.array(Image.fromarray(small).resize((512, 512), Image.Resampling.BICUBIC))
    blurred = [corrupt(image, "a", Condition("blur", 4)) for image in (small, large)]
    again = np.array(Image.fromarray(blurred[1]).resize((128, 128), Image.Resampling.BOX))
    assert np.abs(blurred[0].astype(float) - again).mean() < 1
    assert np.abs(small.astype(float) - again).mean() > 3


def test_large_images_are_reduced_first():
    image = np.zeros((1500, 1000), np.uint8)
    assert corrupt(image, "a", Condition("contrast", 1)).shape == (768, 512)
    assert corrupt(image, "a", Condition("contrast", 1), side=800).shape == (1200, 800)
    assert corrupt(image[:300, :200], "a", Condition("contrast", 1)).shape == (300, 200), "never enlarged"


def test_contrast_shrinks_about_the_mean():
    image = np.array([[50, 150]], np.uint8)
    assert corrupt(image, "a", Condition("contrast", 1)).tolist() == [[80, 120]]
    assert corrupt(image, "a", Condition("contrast", 4)).tolist() == [[95, 105]]


def test_exposure_goes_both_ways_and_leaves_black_and_white():
    image = np.array([[0, 128, 255]], np.uint8)
    found = {tuple(corrupt(image, str(i), Condition("exposure", 3))[0].tolist()) for i in range(20)}
    expected = [round(255 * (128 / 255) ** power) for power in (1.9, 1 / 1.9)]
    assert found == {(0, middle, 255) for middle in expected}


def test_rotation_goes_both_ways_about_the_centre():
    image = np.zeros((201, 201), np.uint8)
    image[98:103] = 255  # a bar through the centre
    slopes = set()
    for i in range(20):
        turned = corrupt(image, str(i), Condition("rotation", 4))
        assert turned[100, 100] == 255
        rows = [np.average(np.arange(201), weights=turned[:, column]) for column in (40, 160)]
        slopes.add(round(float(np.degrees(np.arctan2(rows[1] - rows[0], 120)))))
    assert slopes == {-15, 15}


def test_one_of_your_own(tmp_path, monkeypatch):
    (tmp_path / "my_fog.py").write_text(
        "def fog(image, severity, random):\n    return image // 2 + 20 * severity\n"
        "def wrong(image, severity, random):\n    return image / 2\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert corrupt(GREY, "a", Condition("my_fog:fog", 2))[0, 0] == 104
    with pytest.raises(BenchError, match="my_fog:wrong_2: does not return uint8"):
        corrupt(GREY, "a", Condition("my_fog:wrong", 2))
    sys.modules.pop("my_fog")


def test_conditions_are_every_corruption_in_every_severity():
    assert conditions({}) == ()
    named = conditions({"corruptions": ["blur", "jpeg"], "severities": (1, 4)})
    assert [str(condition) for condition in named] == ["blur_1", "blur_4", "jpeg_1", "jpeg_4"]
    assert len(conditions({"corruptions": ("noise",)})) == 5


@pytest.mark.parametrize(("fed", "side"), [(64, 512), (600, 600)])
def test_an_encoder_that_is_fed_with_more_gets_more(tmp_path, context, monkeypatch, fed, side):
    Image.fromarray(np.zeros((900, 700), np.uint8)).save(tmp_path / "large.png")
    table = pd.DataFrame([{"id": "a", "patient_id": "a", "image": "large.png", "split": "test"}])
    shapes = []
    monkeypatch.setattr(CORRUPTIONS, "_module_dict", dict(CORRUPTIONS._module_dict))
    CORRUPTIONS._module_dict["seen"] = lambda image, severity, random: shapes.append(image.shape) or image
    feed = Feed(InputSpec(size=fed, channels=1), condition=Condition("seen", 1))
    ((images, _),) = image_batches(Manifest("large", tmp_path, table), feed, context, "")
    assert images.shape == (1, 1, fed, fed) and shapes == [(round(side * 9 / 7), side)]
