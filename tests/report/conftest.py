import pytest
from fixed_store import fixed_stores


@pytest.fixture
def stores(tmp_path, monkeypatch):
    """A small suite's store with fixed numbers; see fixed_store."""
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    return fixed_stores(tmp_path / "results")
