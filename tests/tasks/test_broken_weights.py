"""A backbone with one weight that is no number gets no result in any task."""

import math

import pytest
import torch
from dense_data import dense_manifest
from planted_maps import quadrant_phrases
from tiny_data import tiny_manifest

from prior_bench.errors import BenchError
from prior_bench.mock import mock_backbone
from prior_bench.openmmlab.finite_outputs import finite_outputs
from prior_bench.registry import TASKS
from prior_bench.suites import protocols

SHORT = {"stopping.epochs": 1, "batch_size": 4}
CASES = {
    "probe": ("demo/linear_probe", {}, tiny_manifest),
    "fine-tuning": ("demo/finetune", {"stopping.iterations": 2, "stopping.interval": 2}, tiny_manifest),
    "segmentation": ("demo/segmentation", {**SHORT, "head.channels": (8, 8, 8)}, dense_manifest),
    "detection": ("demo/detection", {**SHORT, "head.width": 0.03125}, dense_manifest),
    "grounding": ("clean/grounding_similarity", {}, quadrant_phrases),
}


@pytest.mark.parametrize("case", CASES)
def test_a_weight_that_is_no_number_fails_the_run(case, tmp_path, context):
    name, changes, make = CASES[case]
    protocol = protocols.load(name, changes)
    backbone = mock_backbone(size=64)
    first = next(m for m in backbone.image_encoder.modules() if isinstance(m, torch.nn.Conv2d))
    with torch.no_grad():
        first.weight[0, 0, 0, 0] = math.nan
    with pytest.raises(BenchError, match="not finite|NaN"):
        TASKS.get(protocol.task)().run(backbone, make(tmp_path), protocol, context)


def test_outputs_of_a_head_that_overflow_fail_the_test():
    head = torch.nn.Identity()
    finite, overflown = torch.ones(2, 3), torch.full((2, 3), math.inf)
    with finite_outputs(head, "demo/detection"):
        head([finite, (finite,)])
        with pytest.raises(BenchError, match="demo/detection: 6 outputs .* are not finite"):
            head([finite, (overflown,)])
    head(overflown)  # afterwards, nothing is checked
