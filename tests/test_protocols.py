"""Every shipped protocol loads, belongs to a task, and states what it must."""

from pathlib import Path

import pytest

from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.suites import protocols


@pytest.mark.parametrize("name", protocols.names())
def test_shipped_protocol_is_complete(name):
    protocol = protocols.load(name)
    assert protocol.task in TASKS.names()
    assert protocol.metrics, "a protocol names its metric variants"
    assert {"backbone", "batch_norm"} <= set(protocol.frozen)
    assert protocol.to_dict()["name"] == protocol.name == name


PAGES = Path(__file__).parents[1] / "docs" / "protocols"
OF_PAPERS = [n for n in protocols.names() if (PAGES / f"{n.partition('/')[0]}.md").is_file()]


def test_every_paper_has_a_page():
    families = {name.partition("/")[0] for name in OF_PAPERS}
    assert families == {"mgca", "gloria", "lovt", "benchx", "prior"}


@pytest.mark.parametrize("name", OF_PAPERS)
def test_papers_protocol_says_its_source_and_is_on_its_page(name):
    protocol = protocols.load(name)
    family, _, own = name.partition("/")
    page = (PAGES / f"{family}.md").read_text()
    # variants for less labels are listed by their ending
    assert name in page or own in page or own.removesuffix("_1").removesuffix("_10") in page
    assert "arXiv" in protocol.source or "ICCV" in protocol.source
    assert all(len(defect) > 20 for defect in protocol.defects)
    stand_in = family == "prior" and not own.startswith("zero_shot")
    assert not stand_in or "not determined" in protocol.source


def test_overrides_are_merged_and_named():
    protocol = protocols.load("clean/linear_probe", {"batch_size": 7})
    assert protocol.batch_size == 7
    assert "changed: batch_size" in protocol.name


def test_unknown_protocol_and_field_have_suggestions():
    with pytest.raises(BenchError, match="did you mean clean/linear_probe"):
        protocols.load("clean/linear_prob")
    with pytest.raises(BenchError, match="did you mean optimizer"):
        protocols.load("clean/linear_probe", {"optimiser": {}})
