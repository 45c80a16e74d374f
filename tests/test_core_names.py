"""The core names no task and no gallery: it asks the registered task what it is."""

import ast
from importlib.metadata import entry_points
from pathlib import Path

import pytest

CORE = Path(__file__).parent.parent / "prior_bench"
ROOMS = ("api", "cli", "engine", "public", "report", "store", "suites", "registry.py")
TASKS = {point.name for point in entry_points(group="prior_bench.tasks") if point.dist.name == "prior-bench"}
FILES = sorted(
    file for room in ROOMS for file in ([CORE / room] if ".py" in room else (CORE / room).rglob("*.py"))
)


def strings_of(file: Path) -> list[str]:
    """String constants of a file, but for docstrings and the like (strings that stand for themselves)."""
    tree = ast.parse(file.read_text())
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in alone)
    return [node.value for node in found if isinstance(node.value, str)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(CORE)))
def test_no_task_is_named(file):
    assert TASKS >= {"classification", "zero_shot"}
    assert not TASKS & set(strings_of(file)), "ask the task (prior_bench.store.descriptions)"
