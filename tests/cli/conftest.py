import pytest


@pytest.fixture
def parts(parts, tmp_path, monkeypatch):
    """The fake parts registered; the test's folder is the working folder, too."""
    monkeypatch.chdir(tmp_path)
    return parts
