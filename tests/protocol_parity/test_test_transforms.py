"""In evaluation of dense and zero-shot tasks, a file becomes the tensor that the papers' code makes of it."""

from pathlib import Path

import pytest

from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols
from tasks.parity.transforms import test_transform as compute

GOLDEN = Path(__file__).parents[1] / "golden" / "protocols"
MEASURED = {
    name: run.ingredients["test transform"]
    for run in official_runs(GOLDEN)
    for name in run.protocols
    if "test transform" in run.ingredients
}


def off(name, changes):
    measured = MEASURED[name]
    ours = compute(protocols.load(name, changes), measured.given)
    return differing(ours, measured.expected, measured.tolerance)


@pytest.mark.parametrize(
    "name", [name for name in MEASURED if "linear" not in name and "finetune" not in name]
)
def test_the_tensor_is_that_of_the_papers_code(name):
    assert not off(name, {})


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mgca/segmentation_siim", {"interpolation": "bilinear"}),
        ("mgca/segmentation_siim", {"interpolation": "area"}),
        ("mgca/segmentation_siim", {"brighten": None}),
        ("mgca/detection_object", {"resize": "pad"}),
        ("mgca/detection_rsna", {"interpolation": "bilinear"}),
        ("gloria/segmentation_siim", {"interpolation": "bilinear"}),
        ("gloria/segmentation_siim", {"brighten": None}),
        ("gloria/zero_shot", {"interpolation": "bicubic"}),
    ],
)
def test_another_transform_is_told_apart(name, change):
    assert off(name, {f"transform.input.{key}": value for key, value in change.items()})
