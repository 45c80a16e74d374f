"""What the papers' code gave, for tests of the ingredients of any paper."""

from pathlib import Path

import pytest

from prior_bench.protocol_parity.ingredients import ingredients_of
from prior_bench.protocol_parity.official import official_runs
from prior_bench.protocol_parity.values import differing
from prior_bench.suites import protocols

GOLDEN = Path(__file__).parents[1] / "golden/protocols"


@pytest.fixture(scope="session")
def official():
    """The values of every protocol and ingredient."""
    return {
        (name, part): one
        for run in official_runs(GOLDEN)
        for name in run.protocols
        for part, one in run.ingredients.items()
    }


@pytest.fixture
def off(official):
    """A function: the names of the quantities that differ under changes of the protocol."""

    def off(name, part, changes=None):
        protocol, one = protocols.load(name, changes or {}), official[name, part]
        compute = ingredients_of(protocol.task)[part].compute
        return set(differing(compute(protocol, one.given), one.expected, one.tolerance))

    return off
