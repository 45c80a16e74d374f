"""``import prior_bench``: light, complete, and known to type checkers."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import prior_bench as pb

HEAVY = {"torch", "mmcv", "mmdet", "mmseg", "mmengine", "transformers", "timm", "pandas", "sklearn", "numpy"}


def test_importing_and_asking_for_names_imports_nothing_heavy():
    code = "import prior_bench as pb, sys; dir(pb); pb.__all__; pb.InputSpec(size=64); print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert HEAVY.isdisjoint(run.stdout.split())


@pytest.mark.parametrize("name", pb.__all__)
def test_every_name_is_there_and_documented(name):
    assert getattr(pb, name).__doc__
    assert name in dir(pb)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'evalute'"):
        _ = pb.evalute


def test_type_checkers_see_the_names_where_they_are_at_run_time():
    tree = ast.parse(Path(pb.__file__).read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    seen = {alias.name: node.module for node in imports for alias in node.names}
    for name in pb.__all__:
        assert getattr(import_module(seen[name]), name) is getattr(pb, name)


def test_the_package_says_that_it_is_typed():
    assert (Path(pb.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize(
    "name", ["evaluate", "load_backbone", "open_dataset", "table", "compare", "pretrain", "wrap", "available"]
)
def test_functions_say_what_they_take_give_and_refuse(name):
    text = getattr(pb, name).__doc__
    for part in ("Args:", "Raises:", "Example:"):
        assert part in text
