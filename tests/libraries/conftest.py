import pytest

from prior_bench.api import LoadContext


@pytest.fixture(scope="session")
def context():
    return LoadContext()
