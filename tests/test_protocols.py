"""Every shipped protocol loads, belongs to a task, and states what it must."""

import pytest

from prior_bench import protocols
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS


@pytest.mark.parametrize("name", protocols.names())
def test_shipped_protocol_is_complete(name):
    protocol = protocols.load(name)
    assert protocol.task in TASKS.names()
    assert protocol.metrics, "a protocol names its metric variants"
    assert {"backbone", "batch_norm"} <= set(protocol.frozen)
    assert protocol.to_dict()["name"] == protocol.name == name


def test_overrides_are_merged_and_named():
    protocol = protocols.load("clean/linear_probe", {"batch_size": 7})
    assert protocol.batch_size == 7
    assert "changed: batch_size" in protocol.name


def test_unknown_protocol_and_field_have_suggestions():
    with pytest.raises(BenchError, match="did you mean clean/linear_probe"):
        protocols.load("clean/linear_prob")
    with pytest.raises(BenchError, match="did you mean optimizer"):
        protocols.load("clean/linear_probe", {"optimiser": {}})
