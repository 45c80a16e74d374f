"""Phrases and the masks that their files may hold."""

import numpy as np
import pytest
from pycocotools import mask as coco

from prior_bench.data.annotations.masks import BoxMask, CocoMask, UnionMask
from prior_bench.data.annotations.phrases import GroundedPhrase, box_tuples
from prior_bench.errors import BenchError

DRAWN = np.zeros((6, 9), np.uint8)
DRAWN[1:4, 2:5] = 1
DRAWN[2, 3] = 0
COMPRESSED = coco.encode(np.asfortranarray(DRAWN))["counts"].decode()


def runs(mask) -> list[int]:
    """COCO's uncompressed run-length code."""
    flat = np.concatenate([[0], mask.T.ravel(), [1 - mask.T.ravel()[-1]]])
    changes = np.flatnonzero(np.diff(flat))
    return np.diff(np.concatenate([[0], changes])).tolist()


def test_a_region_is_the_mask_or_the_boxes_filled():
    mask = CocoMask(tuple(runs(DRAWN)), (6, 9))
    both = GroundedPhrase("opacity", ((0, 0, 2, 2), (7, 4, 9, 6)), mask)
    assert both.region(6, 9).tolist() == DRAWN.tolist()
    filled = both.region(6, 9, boxes_only=True)
    assert filled.sum() == 8 and filled[:2, :2].all() and filled[4:, 7:].all()
    assert GroundedPhrase("opacity", both.boxes).region(6, 9).tolist() == filled.tolist()
    assert GroundedPhrase("opacity", mask=mask).region(6, 9, boxes_only=True).tolist() == DRAWN.tolist()
    assert GroundedPhrase("opacity", mask=mask).box_array.shape == (0, 4)


@pytest.mark.parametrize(
    "phrase, problem",
    [
        (GroundedPhrase("opacity", ((0, 0, 1, 1),)), ""),
        (GroundedPhrase("opacity", mask=BoxMask(np.zeros((0, 4)))), ""),
        (GroundedPhrase(" ", ((0, 0, 1, 1),)), "has a phrase without text"),
        (GroundedPhrase("opacity"), "has the phrase 'opacity' without a region"),
        (
            GroundedPhrase("opacity", ((0, 0, 1, 1), (2, 2, 2, 3))),
            "has a box without extent for the phrase 'opacity'",
        ),
        (GroundedPhrase("opacity", ((0, 3, 1, 2),)), "has a box without extent for the phrase 'opacity'"),
    ],
)
def test_what_makes_a_phrase_unusable(phrase, problem):
    assert phrase.problem() == problem


def test_boxes_of_a_manifest_as_tuples():
    boxes = np.array([[1, 2, 3, 4, 0], [5, 6, 7, 8, 1]], np.float32)
    assert box_tuples(boxes) == ((1, 2, 3, 4), (5, 6, 7, 8))


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [6, 9], "counts": runs(DRAWN)},
        {"size": [6, 9], "counts": COMPRESSED},
    ],
)
def test_run_lengths_as_coco_writes_them(segmentation):
    mask = CocoMask.of_json(segmentation)
    assert mask.decode(6, 9).tolist() == DRAWN.tolist()
    with pytest.raises(BenchError, match="mask is 9x6 pixels, its image 6x9"):
        mask.decode(9, 6)


def test_polygons_are_filled_and_united():
    mask = CocoMask.of_json([[0, 0, 4, 0, 4, 3, 0, 3], [6, 3, 9, 3, 9, 6, 6, 6]])
    drawn = mask.decode(6, 9)
    assert drawn[:3, :4].all() and drawn[3:, 6:].all() and drawn.sum() == 12 + 9


@pytest.mark.parametrize(
    "segmentation, what",
    [
        ({"size": [6, 9], "counts": runs(DRAWN)[:-1]}, "the runs cover"),
        ({"size": [6, 9], "counts": [*runs(DRAWN), 4]}, "the runs cover 58 of 54 pixels"),
        ({"size": [6, 9], "counts": [60, -6]}, "the runs cover 54 of 54 pixels"),
        ({"size": [6, 9], "counts": ["a"]}, "invalid literal"),
        ({"size": [6, 9], "counts": "zzzzzz"}, "Invalid RLE"),
        ([[0, 0, 4, 0]], "three points"),
        ([], "three points"),
    ],
)
def test_a_broken_segmentation_names_its_place(segmentation, what):
    mask = CocoMask.of_json(segmentation, of="file.json, annotations[3]")
    with pytest.raises(BenchError, match=rf"(?s)^file.json, annotations\[3\]: segmentation .*{what}"):
        mask.decode(6, 9)


def test_a_compressed_code_that_is_cut_off_is_refused():
    with pytest.raises(BenchError, match="segmentation cannot be read"):
        for _ in range(20):  # what COCO's tools leave uninitialised may look right by chance
            CocoMask(COMPRESSED[:4], (6, 9)).decode(6, 9)


def test_masks_united():
    one, other = BoxMask(np.array([[0, 0, 2, 2]])), BoxMask(np.array([[1, 1, 3, 3]]))
    assert UnionMask((one, other)).decode(4, 4).tolist() == (one.decode(4, 4) | other.decode(4, 4)).tolist()


def test_where_a_mask_comes_from_does_not_count():
    assert CocoMask("01", (2, 2), "a") == CocoMask("01", (2, 2), "b")
    assert repr(CocoMask("01", (2, 2), "a")) == repr(CocoMask("01", (2, 2), "b"))
