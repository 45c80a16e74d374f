"""The cost of an encoder depends on neither labels nor images."""

import pytest
from invariance import opposite, without
from tiny_data import tiny_manifest

from prior_bench.mock import mock_backbone
from prior_bench.suites import protocols
from tasks.throughput import Throughput

COUNTED = ("parameters", "parameters_total", "gflops")


@pytest.mark.parametrize("batch_size", [1, 3])
def test_counts_are_the_same_for_any_data_and_batch(tmp_path, context, batch_size):
    data = tiny_manifest(tmp_path)
    protocol = protocols.load(
        "clean/throughput", {"batch_size": batch_size, "options.repeats": 2, "options.warmup": 1}
    )
    backbone = mock_backbone()
    found = [
        Throughput().run(backbone, one, protocol, context)
        for one in (data, opposite(data, "test"), without(data, "test"))
    ]
    counts = [[one.metrics[name] for name in COUNTED] for one in found]
    assert counts[0] == counts[1] == counts[2]
    assert counts[0][0] == sum(p.numel() for p in backbone.image_encoder.parameters())
    assert counts[0][1] == sum(p.numel() for p in backbone.method.parameters()) > counts[0][0]
    assert all(one.predictions == {} and len(one.history) == 2 for one in found)
    for one in found:
        timed = sorted(entry["images_per_second"] for entry in one.history)
        assert timed[0] <= one.metrics["images_per_second"] <= timed[1]
