"""Outlines and runs that would take hours, gigabytes or the process are refused."""

import pytest

from prior_bench.data.annotations.masks import CocoMask, RleMask, ShapeMask, SwappedShapeMask
from prior_bench.data.annotations.outlines import LONGEST, check_outlines
from prior_bench.data.readers.chexpert.chexlocalize import read_segmentations
from prior_bench.data.readers.object_cxr import shape
from prior_bench.errors import BenchError

FAR = [float("nan"), float("inf"), 1e300, -1e8, 2**80, "1"]


@pytest.mark.parametrize("far", FAR, ids=str)
def test_coordinates_that_are_in_no_image_are_refused(far):
    outline = (0, 0, far, 5, 5, 9)
    for mask in (CocoMask.of_json([outline]), ShapeMask((("polygon", outline),))):
        with pytest.raises(BenchError, match="is in no image"):
            mask.decode(64, 64)
    for kind in (ShapeMask, SwappedShapeMask):
        with pytest.raises(BenchError, match="is in no image"):
            kind((("ellipse", (0, 0, 5, far)),)).decode(64, 64)
    with pytest.raises(BenchError, match="line 3"):
        shape(f"1 0 0 5 {'nan' if far == '1' else far}", "line 3")


def test_outlines_that_are_too_long_together_are_refused():
    zigzag = [-99_000.0, 0.0, 99_000.0, 0.0] * 7
    assert CocoMask.of_json([zigzag[:8]]).decode(4, 4).shape == (4, 4)
    check_outlines([zigzag, ()])
    with pytest.raises(ValueError, match="pixels long"):
        check_outlines([zigzag] * (1 + LONGEST // 2_700_000))


@pytest.mark.parametrize(
    "runs", [[2**63 - 1, 2**63 - 1, 18], [2**62] * 4 + [16], [2**70], [0, 17, -1]], ids=str
)
def test_runs_whose_sum_overflows_are_refused(runs):
    with pytest.raises(BenchError, match="cannot be read"):
        CocoMask.of_json({"size": [4, 4], "counts": runs}, of="file").decode(4, 4)


def test_gaps_whose_sum_overflows_are_refused():
    with pytest.raises(BenchError, match="outside the image"):
        RleMask((f"{2**62} {2**62} {2**62} {2**62} 0 4",)).decode(4, 4)


def test_a_code_that_is_no_ascii_is_refused(tmp_path):
    file = tmp_path / "segmentations.json"
    file.write_text(r'{"a": {"Edema": {"size": [4, 4], "counts": "\u00e9"}}}')
    with pytest.raises(BenchError, match="no run-length code"):
        read_segmentations(file, ["a"])
