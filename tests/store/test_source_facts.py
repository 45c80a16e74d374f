"""Facts of source files: remembered between processes, and never out of date."""

import ast
import json

import pytest

from prior_bench.store import source_facts as module
from prior_bench.store.source_facts import FILE, Import, _Known, source_facts


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Where facts are written; the process knows none yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(module.atexit, "register", lambda *_: None)
    forget(monkeypatch)
    return tmp_path / "state" / "prior-bench" / FILE


def forget(monkeypatch):
    monkeypatch.setattr(module, "_KNOWN", _Known())


def written(
    tmp_path, text="import os\nfrom . import a\nfrom ..b import c, d\n\n\ndef f():\n    import e.g\n"
):
    (tmp_path / "code.py").write_text(text)
    return tmp_path / "code.py"


def test_imports_are_those_of_the_text(tmp_path, place):
    assert source_facts(written(tmp_path)).imports == (
        Import(0, "os", ()), Import(1, "", ("a",)), Import(2, "b", ("c", "d")), Import(0, "e.g", ())
    )  # fmt: skip


def test_another_process_does_not_read_the_text_again(tmp_path, place, monkeypatch):
    path = written(tmp_path)
    first = source_facts(path)
    module._KNOWN.write(place)
    forget(monkeypatch)
    monkeypatch.setattr(ast, "parse", None)
    assert source_facts(path) == first


def test_a_changed_file_is_read_again(tmp_path, place, monkeypatch):
    first = source_facts(written(tmp_path, "x = 1\n"))
    module._KNOWN.write(place)
    for _ in range(2):  # in this process and in the next one
        assert source_facts(written(tmp_path, "x = 22\n")).digest != first.digest
        forget(monkeypatch)


def test_files_that_are_gone_are_forgotten_and_those_of_others_kept(tmp_path, place, monkeypatch):
    gone, kept = tmp_path / "gone.py", tmp_path / "kept.py"
    for path in (gone, kept):
        path.write_text("x = 1\n")
        source_facts(path)
    module._KNOWN.write(place)
    forget(monkeypatch)
    gone.unlink()
    source_facts(written(tmp_path))
    module._KNOWN.write(place)
    assert sorted(json.loads(place.read_text())["files"]) == sorted([str(kept), str(tmp_path / "code.py")])


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"edition": 0, "files": {}}', '{"edition": 1}', '{"edition": 1, "files": 3}']
    + ['{"edition": 1, "files": {"PATH": [[1], [[], "a"]]}}', '{"edition": 1, "files": {"PATH": 5}}'],
)
def test_a_file_of_another_kind_is_replaced(tmp_path, place, content):
    path = written(tmp_path)
    place.parent.mkdir(parents=True)
    place.write_text(content.replace("PATH", str(path)))
    assert len(source_facts(path).imports) == 4
    module._KNOWN.write(place)
    assert str(path) in json.loads(place.read_text())["files"]


@pytest.mark.parametrize("root", ["nowhere", "a file"])
def test_without_a_place_to_write_nothing_is_lost(tmp_path, place, root):
    facts = source_facts(written(tmp_path))
    (tmp_path / "state").write_text("in the way")
    module._KNOWN.write(None if root == "nowhere" else place)
    assert source_facts(tmp_path / "code.py") == facts
