"""Writers of small files in the formats of the real data sets, and where the real annotation files are."""

from pathlib import Path

import pytest
import writers


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A cache root of the test's own, not made yet."""
    monkeypatch.setenv("PRIOR_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def download(cache) -> Path:
    """An empty folder for a data set, beside the cache root."""
    folder = cache.with_name("download")
    folder.mkdir()
    return folder


@pytest.fixture(scope="session")
def write_dicom():
    """``write_dicom(path, pixels, kind=..., **tags) -> path``."""
    return writers.write_dicom


@pytest.fixture(scope="session")
def write_image():
    """``write_image(path)``: a tiny JPEG, its folders made."""
    return writers.write_image


@pytest.fixture(scope="session")
def write_text():
    """``write_text(path, text)``: plain, or gzipped by suffix; folders made."""
    return writers.write_text


@pytest.fixture(scope="session")
def real_annotations() -> Path:
    """Folder with the real annotation files inside the torchxrayvision wheel (which is not imported)."""
    from importlib.util import find_spec

    return Path(find_spec("torchxrayvision").origin).parent / "data"
