"""``prior-bench new baseline``: what it writes runs, and it never overwrites or half-writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from prior_bench.cli import main
from prior_bench.errors import BenchError
from prior_bench.scaffold.baseline import is_checkout, plan, write

ROOT = Path(__file__).parents[2]
NAME = "clip_like"
SUITE = f"""
name = "mine"
seeds = [0]
backbones = [
    dict(name="Random", type="random", config="{NAME}_sample.py"),
    dict(name="CLIP", type="pretrain", config="{NAME}_sample.py", overrides={{"schedule.epochs": 1,
        "schedule.warmup_epochs": 0}}),
]
evaluations = [dict(task="zero_shot", data="sample:chexpert_5x200", protocol="demo/zero_shot")]
"""
TABLE = """
title = "Mine"
suite = "mine"
rows = "all"
columns = [dict(group="Zero-shot", label="accuracy", metric="accuracy", task="zero_shot",
    data="sample:chexpert_5x200", protocol="demo/zero_shot")]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working folder, and the small size of the sample benchmark."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PRIOR_BENCH_SAMPLE_SIZE", "tiny")
    for name in ("DATA", "RESULTS", "CACHE"):
        monkeypatch.setenv(f"PRIOR_BENCH_{name}", str(tmp_path / name.lower()))
    yield tmp_path
    for name in (NAME, f"test_{NAME}"):
        sys.modules.pop(name, None)
    if str(tmp_path) in sys.path:
        sys.path.remove(str(tmp_path))


@pytest.fixture
def checkout(tmp_path):
    """A folder that looks like a checkout."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "prior-bench"\n')
    for name in ("baselines", "configs/pretrain", "tests"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def written(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def own_lines(path):
    """Lines of code: no docstring, comment, import or blank line."""
    import ast

    tree = ast.parse(path.read_text())
    kept = set()
    for node in ast.walk(tree):
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if isinstance(node, ast.stmt) and not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            kept |= {node.lineno, node.end_lineno}
    return len(kept)


@pytest.mark.slow
def test_a_plain_clip_is_two_files_and_runs_from_training_to_the_table(folder, capsys):
    assert main(["new", "baseline", NAME]) == 0
    assert "it runs without changes" in capsys.readouterr().out
    assert written(folder) == [f"{NAME}.py", f"{NAME}_sample.py", f"test_{NAME}.py"]
    assert own_lines(folder / f"{NAME}.py") <= 60
    assert len((folder / f"{NAME}.py").read_text().splitlines()) <= 66

    (folder / "mine_suite.py").write_text(SUITE)
    (folder / "mine_table.py").write_text(TABLE)
    assert main(["run", "mine_suite.py", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "2 run, 0 already done, 0 failed" in out
    assert main(["table", "mine_table.py", "--format", "json", "--output", "mine.json"]) == 0
    rows = {row["label"]: row for row in json.loads((folder / "mine.json").read_text())["rows"]}
    assert list(rows) == ["Random", "CLIP"]
    (checkpoint,) = (folder / "results" / "pretrain").glob("*/model.safetensors")
    from prior_bench.checkpoints.native import load_method

    assert type(load_method(checkpoint)[0]).__module__ == NAME


@pytest.mark.slow
def test_the_written_test_passes_and_the_method_keeps_the_contract(folder):
    write(plan(NAME, folder))
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"test_{NAME}.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0 and "12 passed" in run.stdout, run.stdout + run.stderr
    assert main(["check-method", NAME]) == 0


def test_in_a_checkout_files_go_where_their_like_are(checkout):
    made = plan(NAME, checkout)
    write(made)
    assert written(checkout) == [
        f"baselines/{NAME}.py",
        f"configs/pretrain/{NAME}_sample.py",
        "pyproject.toml",
        f"tests/test_{NAME}.py",
    ]
    assert made.type == f"baselines.{NAME}:ClipLike" and made.config == f"{NAME}_sample"
    config = made.config_file.read_text()
    assert '_base_ = "convirt_sample.py"' in config and f'type="{made.type}"' in config
    assert is_checkout(ROOT) and not is_checkout(ROOT / "tests")


def test_outside_the_config_is_convirts_with_another_method(folder):
    from prior_bench.pretraining.config import load_config

    write(plan(NAME, folder))
    ours, theirs = load_config(f"{NAME}_sample.py").to_dict(), load_config("convirt_sample").to_dict()
    assert ours.pop("name") != theirs.pop("name")
    assert ours["method"].pop("type") == f"{NAME}:ClipLike" and theirs["method"].pop("type") == "convirt"
    assert ours == theirs


def test_written_files_are_well_formed(checkout):
    made = plan(NAME, checkout)
    write(made)
    files = [str(file) for file in made.texts]
    for verb in (["check"], ["format", "--check"]):
        run = subprocess.run(
            [sys.executable, "-m", "ruff", *verb, "--config", str(ROOT / "pyproject.toml"), *files],
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "name, message",
    [
        ("2clip", "cannot be the name of a method"),
        ("my-clip", "cannot be the name of a method"),
        ("MyClip", "cannot be the name of a method"),
        ("class", "cannot be the name of a method"),
        ("../clip", "cannot be the name of a method"),
        ("_clip", "does not start with a letter"),
        ("gloria", "a method 'gloria' already exists"),
        ("torch", "a module 'torch' already exists"),
    ],
)
def test_names_are_checked(folder, name, message, capsys):
    assert main(["new", "baseline", name]) == 1
    assert message in capsys.readouterr().err
    assert written(folder) == []


def test_nothing_is_overwritten(checkout):
    there = checkout / "tests" / f"test_{NAME}.py"
    there.write_text("mine")
    with pytest.raises(BenchError, match="already exists"):
        plan(NAME, checkout)
    assert there.read_text() == "mine" and written(checkout) == ["pyproject.toml", f"tests/test_{NAME}.py"]


def test_a_file_that_appears_in_between_stops_all(checkout):
    made = plan(NAME, checkout)
    made.test_file.write_text("mine")
    with pytest.raises(BenchError, match="cannot be written"):
        write(made)
    assert made.test_file.read_text() == "mine"
    assert written(checkout) == ["pyproject.toml", f"tests/test_{NAME}.py"]


def test_a_missing_folder_is_one_message(tmp_path):
    with pytest.raises(BenchError, match="no such folder"):
        plan(NAME, tmp_path / "gone")


def test_a_method_named_in_full_that_is_not_there_tells_where_to_run(folder):
    from prior_bench.registry import METHODS

    with pytest.raises(BenchError, match="run in the folder that contains no_such_file"):
        METHODS.get("no_such_file:Thing")


@pytest.mark.parametrize(
    "content", [b"\xff", b'project = "x"', b"a = " + b"[" * 10_000, b"project = ['name']"]
)
def test_a_project_file_of_somebody_else_is_no_checkout(content, tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(content)
    assert not is_checkout(tmp_path)


def test_a_project_file_that_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pyproject.toml")
    assert not is_checkout(tmp_path)
    (tmp_path / "pyproject.toml").unlink()
    with open(tmp_path / "pyproject.toml", "wb") as holes:
        holes.truncate(6 << 30)
    assert not is_checkout(tmp_path)
