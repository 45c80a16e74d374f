"""The fixtures that all tests share. Modules that tests of several rooms import are in ``helpers/``."""

from pathlib import Path

import pytest
from tiny_data import tiny_manifest

from prior_bench.api import RunContext


@pytest.fixture(scope="session")
def tiny_sample(tmp_path_factory) -> Path:
    """The demo's data sets in the tiny size, generated once; copy the folder to add to it."""
    from prior_bench.sample.generate import generate

    return generate(tmp_path_factory.mktemp("data") / "sample-tiny", "tiny")


@pytest.fixture
def tiny(tmp_path):
    """A tiny data set (see tiny_data)."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    return tiny_manifest(folder)


@pytest.fixture
def context(tmp_path):
    """A run whose folders are the test's own."""
    return RunContext(work_dir=tmp_path / "work", cache_dir=tmp_path / "cache")


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """The fake parts registered, and every root under the test's folder."""
    import fake_parts

    fake_parts.register()
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    return fake_parts
