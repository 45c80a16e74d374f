from pathlib import Path

import pytest

from prior_bench.data.sample.generate import generate


@pytest.fixture(scope="session")
def tiny_sample(tmp_path_factory) -> Path:
    """The tiny sample benchmark, generated once for all tests of this folder."""
    return generate(tmp_path_factory.mktemp("data") / "sample-tiny", "tiny")
