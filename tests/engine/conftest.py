import fake_parts
import pytest


@pytest.fixture(autouse=True)
def parts(tmp_path, monkeypatch):
    """The fake parts registered, and every root under the test's folder."""
    fake_parts.register()
    monkeypatch.setenv("PRIOR_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path / "results"))
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    return fake_parts
