"""Names are found lazily, their origin can be told, and unknown ones come with suggestions."""

import shutil
import sys

import pytest

from prior_bench.errors import BenchError
from prior_bench.registry import (
    BACKBONES,
    DATASETS,
    EXPLAINERS,
    LAYOUTS,
    METHODS,
    TASKS,
    LazyRegistry,
)


def test_own_parts_come_from_entry_points():
    assert {"classification", "zero_shot", "retrieval", "segmentation", "detection"} <= set(TASKS.names())
    assert {"mimic_cxr", "chexpert", "rsna_pneumonia", "siim_acr", "csv"} <= set(DATASETS.names())
    assert METHODS.source("convirt").startswith("baselines.convirt:ConVIRT (prior-bench ")


def test_every_entry_point_loads():
    for registry in (METHODS, TASKS, DATASETS, BACKBONES, LAYOUTS, EXPLAINERS):
        for name in registry.names():
            assert callable(registry.get(name))


def test_misspelt_name_suggests_the_right_one():
    with pytest.raises(BenchError, match="unknown task 'clasification'") as caught:
        TASKS.get("clasification")
    assert "did you mean classification?" in str(caught.value)


def test_registration_in_process_and_build():
    registry = LazyRegistry("thing", "prior_bench.no_such_group")

    @registry.register_module(name="pair")
    class Pair:
        def __init__(self, left, right=2):
            self.sum = left + right

    assert registry.names() == ["pair"]
    assert registry.build({"type": "pair", "left": 3}).sum == 5
    assert "registered in this process" in registry.source("pair")


@pytest.mark.parametrize("name", ["no_such_module:A", "math:Pii", ":A", "..up:A"])
def test_a_name_in_full_that_leads_nowhere_is_one_message(name):
    with pytest.raises(BenchError, match="cannot be loaded"):
        METHODS.get(name)


def test_a_file_in_the_working_folder_never_hides_a_library(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", list(sys.path))
    monkeypatch.delitem(sys.modules, "this_module_is_mine", raising=False)
    (tmp_path / "colorsys.py").write_text("rgb_to_hsv = 'mine'\n")
    (tmp_path / "this_module_is_mine.py").write_text("thing = 'mine'\n")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert METHODS.get("this_module_is_mine:thing") == "mine"
    assert METHODS.get("colorsys:rgb_to_hsv") != "mine"


def test_broken_entry_point_is_reported(monkeypatch):
    from importlib.metadata import EntryPoint, entry_points

    real = entry_points(group="prior_bench.tasks", name="classification")
    dist = next(iter(real)).dist
    point = EntryPoint("bad", "no_such_module:Thing", "g")._for(dist)
    registry = LazyRegistry("thing", "g")
    monkeypatch.setattr(registry, "_points", lambda: {"bad": point})
    with pytest.raises(BenchError, match="cannot be loaded: No module named 'no_such_module'"):
        registry.get("bad")


def test_what_is_installed_is_read_once_and_again_after_a_change(tmp_path, monkeypatch):
    from prior_bench import registry as module

    reads, real = [], module.entry_points
    monkeypatch.setattr(module, "entry_points", lambda group: reads.append(group) or real(group=group))
    monkeypatch.syspath_prepend(str(tmp_path))
    things = LazyRegistry("thing", "prior_bench.of_this_test")
    assert things.names() == [] and things.names() == [] and len(reads) == 1
    package = tmp_path / "theirs-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[prior_bench.of_this_test]\npi = math:pi\n")
    assert things.names() == ["pi"] and things.source("pi") == "math:pi (theirs 1.0)" and len(reads) == 2
    shutil.rmtree(package)
    assert things.names() == [] and len(reads) == 3
    monkeypatch.setattr("sys.path", sys.path[1:])
    assert things.names() == [] and len(reads) == 4
