import pytest
from fixed_store import fixed_stores


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """A small suite's store with fixed numbers; see fixed_store."""
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    return fixed_stores(tmp_path / "results")


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Nothing is kept in the folder that the tests are started from."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "data"))
