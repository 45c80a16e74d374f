import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine"))


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """The fake parts registered, and every root under the test's folder, which is the working folder."""
    import fake_parts

    fake_parts.register()
    monkeypatch.chdir(tmp_path)
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    return fake_parts
