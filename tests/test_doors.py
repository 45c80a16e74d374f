"""The check of the house: which room may import which, no circles, no two classes of one name.

A room is a top-level sub-package or module of ``prior_bench``, or one of the packages ``baselines`` and
``tasks``. Imports count wherever they are written, inside functions too; those under ``if TYPE_CHECKING`` do
not, as they never run. The checks read the source and import nothing.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("prior_bench", "baselines", "tasks")

ARROWS = {
    # foundations: no other room, or next to none
    "bundled": "",
    "errors": "",
    "escaping": "",
    "api": "errors",
    "losses": "",
    "shares": "errors losses",
    "offline": "",
    "prior_bench": "offline",
    "paths": "errors",
    "runtime": "errors escaping",
    "logs": "errors paths",
    "variants": "errors",
    "versions": "errors",
    "io": "errors escaping",
    "registry": "bundled errors",
    "schema": "api errors io paths registry",
    "statistics": "errors runtime",
    "mock": "api",
    # models and their files
    "model_folders": "errors io",
    "encoders": "api errors io model_folders offline",
    "checkpoints": "api encoders errors io model_folders registry",
    "libraries": "api checkpoints encoders errors io model_folders",
    "models": "errors paths registry schema",
    "parity": "errors escaping io registry",
    # data, features, numbers
    "store": "api bundled errors escaping io paths registry schema",
    "data": "api checkpoints encoders errors io paths registry runtime schema store versions",
    "sample": "data errors io paths runtime",
    "rehearsal": "data errors io paths sample",
    "pictures": "data",
    "metrics": "api data errors",
    "features": "api data errors io registry runtime store versions",
    "openmmlab": "api checkpoints data errors io losses metrics runtime schema shares",
    "probing": "api data errors features metrics openmmlab runtime shares",
    "explain": "api data encoders errors escaping features io metrics pictures registry statistics versions",
    # pre-training and where weights come from
    "pretraining": "api bundled checkpoints data encoders errors features io losses metrics registry runtime "
    "schema shares store versions",
    "backbones": "api bundled checkpoints data encoders errors features io libraries models paths "
    "pretraining prior_bench registry schema store versions",
    "scaffold": "api checkpoints errors io paths pretraining registry",
    # suites, their execution, their report
    "suites": "api data encoders errors io paths registry schema store versions",
    "protocol_parity": "api errors escaping io paths registry suites",
    "engine": "api errors io logs paths pretraining registry runtime store suites",
    "report": "api data errors escaping io paths pictures protocol_parity registry runtime schema statistics "
    "store suites",
    "browsing": "errors escaping io logs report store",
    "leaderboard": "api data errors escaping io models paths registry report schema store suites",
    # what users start
    "doctor": "openmmlab paths prior_bench registry",
    "bugreport": "doctor errors io logs paths store",
    "public": "api backbones checkpoints data engine errors escaping leaderboard models paths pretraining "
    "registry report runtime schema store suites",
    "cluster": "api engine errors escaping io paths pretraining public report runtime schema store suites",
    "cli": "api backbones browsing bugreport cluster data doctor engine errors escaping explain io logs "
    "models parity paths pretraining prior_bench protocol_parity public registry report runtime sample "
    "scaffold schema store suites",
    "__main__": "cli",
    # found by name, through the registries: no room of the core may import these
    "prior": "api checkpoints encoders errors explain losses parity pictures pretraining runtime schema "
    "variants",
    "baselines": "api checkpoints encoders errors losses parity pretraining schema variants",
    "tasks": "api backbones data errors explain features metrics openmmlab probing protocol_parity registry "
    "schema suites",
}
"""Which rooms a room may import. A room stands below all that it imports, so that there is no circle."""

NEVER = {
    "encoders": ("checkpoints", "an encoder knows nothing of the files that its weights come from"),
    "checkpoints": ("backbones pretraining", "files know nothing of who reads or writes them"),
    "data": ("sample suites engine", "a reader does not know what its data are used for"),
    "report": ("explain engine pretraining", "a report is made from records alone"),
    "features": ("suites", "extraction does not know which suite it runs in"),
    "probing": ("suites", "a probe does not know which suite it runs in"),
    "tasks": ("prior baselines", "a task knows no method"),
    "prior": ("tasks baselines", "a method knows no task and no other method"),
    "baselines": ("tasks prior", "a method knows no task and no method outside its package"),
}
"""Arrows that must not be added to the table above, with the reason."""

OPENMMLAB = {"mmcv", "mmdet", "mmseg"}
HEAVY = {"matplotlib", "mmengine", "numpy", "pandas", "scipy", "sklearn", "timm", "torch", "torchvision"}
TORCH = {"timm", "torch", "torchvision", "transformers"}


@cache
def modules() -> dict[str, Path]:
    """Every module by its dotted name."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def only_typed(tree: ast.AST) -> set[ast.AST]:
    """Nodes under ``if TYPE_CHECKING``."""
    blocks = [n for n in ast.walk(tree) if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n.test)]
    return {node for block in blocks for child in block.body for node in ast.walk(child)}


@cache
def imports(module: str, at_load: bool = False) -> frozenset[str]:
    """What a module imports, as dotted names: of our own modules, and of other packages as written.

    Args:
        module: the importing one.
        at_load: only what is imported when the module is, not what its functions import.
    """
    path = modules()[module]
    tree = ast.parse(path.read_text("utf-8"))
    typed, package = (
        only_typed(tree),
        module.split(".") if path.stem == "__init__" else module.split(".")[:-1],
    )
    found: set[str] = set()
    for node in tree.body if at_load else ast.walk(tree):
        if node in typed:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            named = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else base for name in named}
    return frozenset(found - {module})


def room(module: str) -> str:
    """The room of one of our modules."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] or first if first == "prior_bench" else first


def arrows() -> Iterator[tuple[str, str]]:
    """All pairs of our modules of which the first imports the second."""
    for module in modules():
        yield from ((module, other) for other in sorted(imports(module)) if other in modules())


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of names that reach one another (Tarjan)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[name] = min(low[name], low[other])
        if low[name] == index[name]:
            group = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(group) > 1:
                found.append(sorted(group))

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return found


def test_modules_import_one_another_in_no_circle():
    edges = defaultdict(set)
    for module, other in arrows():
        edges[module].add(other)
    assert circles(edges) == [], "each group of modules imports itself in a circle"


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}) == [["b", "c"]]
    assert circles({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}}) == []


def test_rooms_import_only_what_the_table_allows():
    wrong = []
    for module, other in arrows():
        here, there = room(module), room(other)
        if here != there and there not in ARROWS.get(here, "").split():
            reason = f" ({NEVER[here][1]})" if there in NEVER.get(here, ("",))[0].split() else ""
            wrong.append(f"{module} imports {other}: {here} -> {there} is not in ARROWS{reason}")
    assert not wrong, "\n".join([f"{len(wrong)} imports between rooms are not allowed:", *wrong])


def test_the_table_of_rooms_is_exact():
    """No room is missing from it, and no arrow stands in it that the code does not use."""
    used = defaultdict(set)
    for module, other in arrows():
        if room(module) != room(other):
            used[room(module)].add(room(other))
    assert set(ARROWS) == {room(module) for module in modules()}
    unused = {here: sorted(set(text.split()) - used[here]) for here, text in ARROWS.items()}
    assert {here: names for here, names in unused.items() if names} == {}, "remove these arrows from ARROWS"


def test_the_table_of_rooms_is_in_order_and_allows_nothing_that_must_never_be():
    above: set[str] = set()
    for here, text in ARROWS.items():
        assert set(text.split()) <= above, f"{here} stands above {sorted(set(text.split()) - above)}"
        above.add(here)
    for here, (names, reason) in NEVER.items():
        assert not set(names.split()) & set(ARROWS[here].split()), f"{here}: {reason}"
    for here in set(ARROWS) - {"prior", "baselines", "tasks"}:
        found = {"prior", "baselines", "tasks"} & set(ARROWS[here].split())
        assert not found, f"{here} -> {found}: the core finds methods and tasks through registries only"


@pytest.mark.parametrize("module", sorted(modules()))
def test_third_party_packages_stay_in_their_rooms(module):
    packages = {name.partition(".")[0] for name in imports(module)}
    here = room(module)
    if here == "api":
        assert packages <= {*sys.stdlib_module_names, "prior_bench"}, "the contract needs no other package"
    if here != "openmmlab":
        assert not packages & OPENMMLAB, "only prior_bench.openmmlab imports these"
    if here == "report":
        assert not packages & TORCH, "a report needs no torch"
    if here == "cli":
        heavy = {name.partition(".")[0] for name in imports(module, at_load=True)} & HEAVY
        assert not heavy, "a verb imports what is heavy when it runs"


def test_no_two_classes_have_one_name():
    places = defaultdict(list)
    for module, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{module}:{node.lineno}")
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice, "\n".join(f"{name}: {', '.join(where)}" for name, where in sorted(twice.items()))
