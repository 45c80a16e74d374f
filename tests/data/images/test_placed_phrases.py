"""Regions of phrases move as their image does."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from prior_bench.api import InputSpec
from prior_bench.data.annotations.masks import CocoMask
from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.data.images.placed_phrases import placed_phrases
from prior_bench.data.images.transforms import eval_transform
from prior_bench.data.manifest import Manifest


def placed(folder, phrases, *, height=40, width=80, resize="squash", size=20, steps=None, **options):
    Image.fromarray(np.zeros((height, width), np.uint8)).save(folder / "one.png")
    row = {"id": "one", "patient_id": "p", "image": "one.png", "split": "test", "phrases": tuple(phrases)}
    transform = eval_transform(InputSpec(size=size, channels=1, resize=resize), steps)
    return placed_phrases(Manifest("one", folder, pd.DataFrame([row])), 0, transform, **options)


BOX = GroundedPhrase("a", ((8, 4, 40, 20),))


def pixels(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    return columns[0], rows[0], columns[-1] + 1, rows[-1] + 1


def test_squashed(tmp_path):
    found = placed(tmp_path, [BOX])
    assert found.valid.all() and found.valid.shape == (20, 20)
    assert pixels(found.regions[0]) == (2, 2, 10, 10)
    assert found.boxes[0].tolist() == [[2, 2, 10, 10]]


def test_padded(tmp_path):
    found = placed(tmp_path, [BOX], resize="pad")
    assert pixels(found.valid) == (0, 5, 20, 15)
    assert pixels(found.regions[0]) == (2, 6, 10, 10)
    assert found.boxes[0].tolist() == [[2, 6, 10, 10]]


def test_cropped(tmp_path):
    found = placed(tmp_path, [BOX, GroundedPhrase("gone", ((0, 0, 16, 40),))], resize="crop")
    assert found.valid.all()
    # scaled by a half, then ten pixels are cut off on each side
    assert pixels(found.regions[0]) == (0, 2, 10, 10)
    assert found.boxes[0].tolist() == [[0, 2, 10, 10]]
    assert not found.regions[1].any() and len(found.boxes[1]) == 0


def test_resized_and_cropped(tmp_path):
    found = placed(tmp_path, [GroundedPhrase("a", ((24, 40, 40, 64),))], height=80, steps={"Resize": 40})
    # scaled by a half, then ten pixels are cut off on each side
    assert found.valid.all() and found.valid.shape == (20, 20)
    assert pixels(found.regions[0]) == (2, 10, 10, 20)
    assert found.boxes[0].tolist() == [[2, 10, 10, 20]]


def test_a_mask_wins_and_has_boxes_around_its_areas(tmp_path):
    drawn = np.zeros((40, 80), np.uint8)
    drawn[0:8, 0:8] = drawn[20:40, 40:80] = 1
    flat = np.concatenate([[0], drawn.T.ravel()])
    changes = np.flatnonzero(np.diff(flat))
    runs = np.diff(np.concatenate([[0], changes, [drawn.size]])).tolist()
    mask = CocoMask(tuple(runs), (40, 80))
    found = placed(tmp_path, [GroundedPhrase("a", mask=mask), GroundedPhrase("b", BOX.boxes, mask)])
    for region in found.regions:
        assert region[:4, :2].all() and region[10:, 10:].all() and region.sum() == 8 + 100
    assert sorted(found.boxes[0].tolist()) == [[0, 0, 2, 4], [10, 10, 20, 20]]
    assert found.boxes[1].tolist() == [[2, 2, 10, 10]]
    only_boxes = placed(tmp_path, [GroundedPhrase("b", BOX.boxes, mask)], boxes_only=True)
    assert pixels(only_boxes.regions[0]) == (2, 2, 10, 10)


@pytest.mark.parametrize("resize", ["squash", "pad", "crop"])
def test_the_image_itself_stays_whole(tmp_path, resize):
    found = placed(tmp_path, [GroundedPhrase("all", ((0, 0, 80, 40),))], resize=resize)
    assert (found.regions[0] == found.valid).all()
