"""The fixtures that all tests share. Modules that tests of several rooms import are in ``helpers/``."""

from pathlib import Path

import pytest
from tiny_data import tiny_manifest

from prior_bench.api import RunContext


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory):
    """Notes of what is opened stay out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


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


@pytest.fixture
def hiding_modules(tmp_path, monkeypatch) -> Path:
    """The working folder has files named like modules; the returned file is there once one has run."""
    folder, ran = tmp_path / "theirs", tmp_path / "ran"
    folder.mkdir()
    for name in ("importlib", "json", "multiprocessing", "pickle", "queue", "socket", "tempfile"):
        lines = ["import os, sys", f"os.close(os.open({str(ran)!r}, os.O_CREAT))"]
        lines += ["del sys.path[0], sys.modules[__name__]", f"import {name}"]  # then the true one
        (folder / f"{name}.py").write_text("\n".join(lines))
    monkeypatch.chdir(folder)
    return ran
