import pytest

from prior_bench.report.runs.draws import load_predictions


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    """Nothing is read from or kept in the folder that the tests are started from, nor in memory."""
    for name in ("results", "cache", "data"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name.upper()}", str(tmp_path / name))
    load_predictions.cache_clear()
