"""The doors between the rooms stay one-way; checked on the imports as written."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = sorted(p for room in ("prior_bench", "baselines", "tasks") for p in (ROOT / room).rglob("*.py"))


def imported(file: Path, *, top_level_only: bool = False) -> set[str]:
    """Dotted names of the modules that a file imports, at module level or anywhere."""
    tree = ast.parse(file.read_text())
    nodes = tree.body if top_level_only else ast.walk(tree)
    names = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def reaches(names: set[str], *rooms: str) -> set[str]:
    return {n for n in names for room in rooms if n == room or n.startswith(f"{room}.")}


@pytest.mark.parametrize("file", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_doors_are_one_way(file):
    room = file.relative_to(ROOT).parts[0]
    inner = ".".join(file.relative_to(ROOT).parts[:2])
    names = imported(file)
    if room == "prior_bench":
        assert not reaches(names, "baselines", "tasks"), "the core finds methods and tasks by registry only"
    if room == "tasks":
        assert not reaches(names, "baselines", "prior_bench.prior"), "a task knows no method"
    if room == "baselines" or inner == "prior_bench.prior":
        assert not reaches(names, "tasks"), "a method knows no task"
    if inner != "prior_bench.openmmlab":
        assert not reaches(names, "mmcv", "mmdet", "mmseg"), "only prior_bench.openmmlab imports these"
    if inner == "prior_bench.report":
        assert not reaches(names, "torch", "torchvision", "timm", "transformers"), "reports need no torch"


@pytest.mark.parametrize("file", sorted((ROOT / "prior_bench/cli").glob("*.py")), ids=lambda p: p.stem)
def test_verbs_import_nothing_heavy_at_module_level(file):
    heavy = reaches(
        imported(file, top_level_only=True), "torch", "mmengine", "pandas", "numpy", "sklearn", "matplotlib"
    )
    assert not heavy
