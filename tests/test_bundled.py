"""A user's ``tasks.py`` or ``baselines.py`` neither breaks the suite nor is imported by it."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from prior_bench.store.source_hash import code_version, used_modules

ROOT = Path(__file__).parent.parent
MARK = "THE USER'S FILE WAS IMPORTED"
FOREIGN = f"print({MARK!r})\nmine = 1\n"


KINDS = ("module", "package", "namespace")
ONLY_MODULE = pytest.mark.parametrize("folder", ["module"], indirect=True)
"""For what starts slowly and does not depend on the kind of folder: torch, torchrun."""
IMPORTABLE = pytest.mark.parametrize("folder", ["module", "package"], indirect=True)
"""A folder without ``__init__.py`` gives way to any package, so its owner cannot import it as before."""


@pytest.fixture(params=KINDS)
def folder(request, tmp_path) -> Path:
    """A working folder that holds modules called as our packages are."""
    for name in ("tasks", "baselines"):
        if request.param == "module":
            (tmp_path / f"{name}.py").write_text(FOREIGN)
            continue
        (tmp_path / name).mkdir()
        (tmp_path / name / "classification.py").write_text(FOREIGN)
        if request.param == "package":
            (tmp_path / name / "__init__.py").write_text(FOREIGN)
    return tmp_path


def python(folder: Path, *arguments: str, path: str = "", status: int = 0) -> str:
    """What Python prints, run in a folder (with an exit status other than 0, on stderr)."""
    environment = {**os.environ, "PYTHONPATH": path, "PRIOR_BENCH_PROGRESS": ""}
    command = [sys.executable, *arguments]
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == status, run.stdout + run.stderr
    assert MARK not in run.stdout + run.stderr
    return run.stderr if status else run.stdout


LOAD = (
    "from prior_bench.registry import TASKS\n"
    "assert all(callable(TASKS.get(name)) for name in TASKS.names())\n"
    "print(TASKS.get('classification')().name)\n"
)
LOADED = "classification\n"


def test_tasks_load_where_the_working_folder_comes_first(folder):
    # as in a notebook: python -c, too, looks there first
    assert python(folder, "-c", LOAD) == LOADED


@pytest.mark.slow
@ONLY_MODULE
def test_baselines_load_where_the_working_folder_comes_first(folder):
    code = (
        "from prior_bench.registry import LAYOUTS, METHODS\n"
        "assert all(LAYOUTS.get(name)() for name in LAYOUTS.names())\n"
        "print(*(METHODS.get(name).__name__ for name in ('convirt', 'gloria', 'mgca')))\n"
    )
    assert python(folder, "-c", code) == "ConVIRT GLoRIA MGCA\n"


@ONLY_MODULE
def test_tasks_load_where_pythonpath_names_the_folder(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "load.py").write_text(LOAD)
    assert python(elsewhere, "load.py", path=str(folder)) == LOADED


@pytest.mark.slow
@pytest.mark.parametrize("start", ["-m prior_bench", "script"])
def test_the_command_line_finds_our_packages(folder, start):
    first = start.split() if start != "script" else [str(Path(sys.executable).parent / "prior-bench")]
    arguments = "eval throughput --backbone random:resnet18 --data nowhere.csv".split()
    told = python(folder, *first, *arguments, path=str(folder), status=1)
    assert "the data set nowhere is not there" in told  # so the task was found


def test_a_users_own_module_is_found_in_the_working_folder(folder):
    (folder / "mine.py").write_text("import colorsys\nclass Reader:\n    pass\n")
    (folder / "colorsys.py").write_text(FOREIGN)  # hides no library either
    arguments = "data describe mine:Reader".split()
    assert "read by mine:Reader" in python(folder, "-m", "prior_bench", *arguments)


@IMPORTABLE
def test_the_users_own_module_stays_importable_before_and_after(folder):
    for name in ("tasks", "baselines"):
        place = folder / name
        file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        file.write_text("mine = 1\n")
    assert python(folder, "-c", f"import tasks\n{LOAD}assert tasks.mine == 1\n") == LOADED
    assert python(folder, "-c", f"{LOAD}import tasks, baselines\nassert tasks.mine == baselines.mine == 1\n")


SPAWN = (
    "import multiprocessing\n"
    "from prior_bench.registry import TASKS\n"
    "def names(classes):\n"
    "    return [one.__name__ for one in classes]\n"
    "if __name__ == '__main__':\n"
    "    classes = [TASKS.get('retrieval'), TASKS.get('detection')]\n"
    "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
    "        print(*pool.apply(names, (classes,)))\n"
)


def test_classes_travel_to_spawned_processes(folder):
    (folder / "spawn.py").write_text(SPAWN)
    assert python(folder, "spawn.py") == "Retrieval Detection\n"


@pytest.mark.slow
@ONLY_MODULE
def test_torchrun_finds_our_packages(folder):
    (folder / "load.py").write_text(LOAD)
    arguments = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node=1")
    assert LOADED in python(folder, *arguments, "load.py")


@pytest.mark.parametrize("module", ["tasks.classification", "baselines.mgca.model"])
def test_the_source_hash_is_the_same_under_both_names(module):
    plain, bundled = (code_version(*used_modules(name)) for name in (module, f"prior_bench.bundled.{module}"))
    assert plain == bundled


@pytest.mark.parametrize("top", ["tasks", "baselines"])
def test_our_packages_import_their_own_modules_relatively(top):
    """Else they would find the user's module where another one has taken the name."""
    for file in (ROOT / top).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names.append(node.module)
            absolute = [name for name in names if name.partition(".")[0] == top]
            assert not absolute, f"{file}: write 'from . import …' instead of {absolute}"


def test_a_users_module_called_as_a_package_of_ours_is_told_so(monkeypatch):
    from prior_bench.errors import BenchError
    from prior_bench.registry import METHODS

    with pytest.raises(
        BenchError, match="'tasks' is a package of prior-bench: give your module another name"
    ):
        METHODS.get("tasks:MyMethod")


def test_ours_are_found_beside_the_package_in_a_wheel(tmp_path):
    """As in site-packages: no checkout around them."""
    from prior_bench import bundled

    site = tmp_path / "site"
    for name in ("prior_bench", "tasks", "baselines"):
        shutil.copytree(bundled.HOME / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tasks.py").write_text(FOREIGN)
    code = (
        "from prior_bench import bundled\n"
        "import importlib\n"
        "print(importlib.import_module(bundled.importable('tasks.zero_shot')).__file__)\n"
    )
    assert python(tmp_path, "-c", code, path=str(site)).strip() == str(site / "tasks" / "zero_shot.py")
