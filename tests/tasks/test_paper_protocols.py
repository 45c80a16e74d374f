"""Every protocol of a paper runs, on tiny images and for one epoch: all of its options are understood.

Variants for less labels (``_1``, ``_10``) are left out: they differ in rate, batch and epochs alone.
"""

import re
from dataclasses import replace

import pytest
from dense_data import dense_manifest
from tiny_data import tiny_manifest

from prior_bench.mock import mock_backbone
from prior_bench.registry import TASKS
from prior_bench.suites import protocols

FAMILIES = ("mgca/", "gloria/", "lovt/", "benchx/", "prior/")
NAMES = [name for name in protocols.names() if name.startswith(FAMILIES) and not re.search(r"_10?$", name)]


def shrunk(name: str):
    """The protocol with tiny images, a narrow head and a single round."""
    protocol = protocols.load(name)
    transform = {**protocol.transform, "input": {**protocol.transform.get("input", {}), "size": 32}}
    for part in ("train", "eval"):
        steps = dict(transform.get(part) or {})
        if steps:
            transform[part] = {
                k: {**v, "size": {"Resize": 36}.get(k, 32)} if "size" in v else v for k, v in steps.items()
            }
    head = dict(protocol.head)
    if head.get("channels"):
        head["channels"] = (8,) * len(head["channels"])
    if "width" in head:
        head["width"] = 0.125
    stopping = {**protocol.stopping}
    stopping |= {"iterations": 2, "interval": 2} if "iterations" in stopping else {"epochs": 1}
    if not protocol.optimizer:
        stopping = protocol.stopping
    options = {**protocol.options, **({"enlarge": 40} if "enlarge" in protocol.options else {})}
    return replace(protocol, transform=transform, head=head, stopping=stopping, options=options, batch_size=4)


@pytest.mark.parametrize("name", NAMES)
def test_protocol_runs(name, tmp_path, context):
    protocol = shrunk(name)
    if protocol.task in ("segmentation", "detection"):
        data = dense_manifest(tmp_path)
        data = replace(data, table=data.table.assign(y=data.table["boxes"].map(len) * 1.0), labels=("y",))
    else:
        data = tiny_manifest(tmp_path, exclusive=True)
    task = TASKS.get(protocol.task)()
    task.check(data, protocol)
    result = task.run(mock_backbone(size=64), data, protocol, context)
    assert {metric.partition("/")[0] for metric in result.metrics} >= set(protocol.metrics)
    if protocol.task == "segmentation":
        assert result.predictions["meta_size"] == 32  # the protocol's size, not the backbone's


def test_enlarged_images_are_what_the_network_sees_in_training_and_testing(tmp_path, context):
    sizes = []
    backbone = mock_backbone(size=64)
    backbone.image_encoder.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].shape[-1]))
    task = TASKS.get("classification")()
    task.run(backbone, tiny_manifest(tmp_path, exclusive=True), shrunk("mgca/linear_rsna"), context)
    # features for the figure of the embedding are computed without the protocol's head, at 32 pixels
    assert sizes.count(40) >= 3 and set(sizes) <= {32, 40}
