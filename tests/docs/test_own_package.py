"""docs/own_package.md: the package is found by its entry points, its data are usable, its suite runs."""

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from prior_bench.cli import main

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs/own_package.md").read_text("utf-8")
FILES = dict(re.findall(r"`([\w/]+\.(?:py|toml))`:\n\n```\w+\n(.*?)```", TEXT, re.S))
PROJECT = tomllib.loads(FILES["pyproject.toml"])["project"]
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", TEXT, re.S) for line in block.splitlines()]

SESSION = """
import contextlib, io, json, sys
from prior_bench.cli import main
said = []
for command in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        said.append([main(command), out.getvalue()])
print(json.dumps(said))
"""
"""Several commands in one process: importing torch for each of them would take most of the time."""


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Path:
    """What the page tells a reader to write, with its entry points as an installation leaves them."""
    folder = tmp_path_factory.mktemp("own_package")
    (folder / "radlab").mkdir()
    (folder / "radlab/__init__.py").touch()
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {place}\n" for name, place in entries.items())
        for group, entries in PROJECT["entry-points"].items()
    )
    installed = folder / f"{PROJECT['name']}-{PROJECT['version']}.dist-info"
    installed.mkdir()
    (installed / "entry_points.txt").write_text(points)
    stated = f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n"
    (installed / "METADATA").write_text(stated)
    _films(folder / "data/films")
    _weights(folder)
    return folder


def _films(root: Path) -> None:
    (root / "images").mkdir(parents=True)
    (root / "reports").mkdir()
    rows, draw = ["film\tperson\tbright"], np.random.default_rng(0)
    for n in range(40):
        bright, pixels = n // 2 % 2, draw.integers(0, 120, (32, 32)).astype(np.uint8)
        pixels[8:18, 10:20] += np.uint8(120 * bright)
        Image.fromarray(pixels).save(root / f"images/f{n:02}.png")
        seen = "There is a bright square." if bright else "There is no bright square."
        (root / f"reports/f{n:02}.txt").write_text(f"{seen} This is film {n}.\n")
        rows.append(f"f{n:02}\tp{n // 2:02}\t{bright}")
    (root / "films.tsv").write_text("\n".join(rows) + "\n")


def _weights(folder: Path) -> None:
    values: dict = {}
    exec(FILES["radlab/tiny.py"], values)
    place = folder / "data/models/radlab_tiny/tiny.pt"
    place.parent.mkdir(parents=True)
    torch.save(values["network"]().state_dict(), place)


def outcomes(folder: Path, *commands: str, environment) -> list[tuple[int, str]]:
    """Run commands in a new process that finds the package as it finds what is installed."""
    words = json.dumps([shlex.split(command) for command in commands])
    environment.setenv("PYTHONPATH", str(folder))
    environment.setenv("OMP_NUM_THREADS", "1")
    for variable in ("PRIOR_BENCH_DATA", "PRIOR_BENCH_CACHE", "PRIOR_BENCH_RESULTS"):
        environment.delenv(variable, raising=False)
    done = subprocess.run(
        [sys.executable, "-c", SESSION, words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def with_method(package) -> Path:
    """The package with the method that ``new`` writes, named in its config as the page says."""
    if not (package / "radlab/mini_clip.py").exists():
        assert main(["new", "baseline", "mini_clip", "--dir", str(package)]) == 0
        (package / "mini_clip.py").rename(package / "radlab/mini_clip.py")
        sample = package / "mini_clip_sample.py"
        told = sample.read_text().replace('type="mini_clip:MiniClip"', 'type="mini_clip"')
        assert told != sample.read_text() and 'type="mini_clip"' in TEXT
        sample.write_text(told)
    return package


def test_the_package_is_found(with_method, monkeypatch):
    commands = ["list datasets", "data check films", "model describe radlab_tiny"]
    assert {f"prior-bench {command}" for command in commands} <= set(COMMANDS)
    (_, listed), (usable, checked), (_, card), (status, planned) = outcomes(
        with_method, *commands, "run my_suite.py --dry-run", environment=monkeypatch
    )
    assert re.search(r"films +radlab\.films:read \(radlab 0\.1\)", listed)
    assert usable == 0 and "verdict: films is usable\n" in checked
    assert re.search(r"sentences a report +2\.0", checked) and "tiny.pt" in card
    assert status == 0 and "3 cells: 0 done, 3 to do, 0 cannot be run" in planned


@pytest.mark.slow
def test_the_suite_runs_and_is_bundled(with_method, monkeypatch):
    begun = COMMANDS.index("prior-bench run my_suite.py")
    commands = [command.removeprefix("prior-bench ") for command in COMMANDS[begun:]]
    assert commands.pop() == "serve"  # which does not end
    (with_method / "bundles").mkdir(exist_ok=True)
    said = outcomes(with_method, *commands, environment=monkeypatch)
    assert [status for status, _ in said] == [0] * len(commands)
    table, sound = said[0][1], said[4][1]
    assert "3 run, 0 already done, 0 failed" in table and "numbers of 3 records recomputed" in sound
    rows = {line.split("|")[1].strip(): line for line in table.splitlines() if line.startswith("| ")}
    assert "not in the suite" in rows["Tiny"] and "not in the suite" not in rows["MiniCLIP"]


def test_every_group_of_entry_points_is_named():
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    groups = {group.removeprefix("prior_bench.") for group in ours}
    rows = TEXT.partition("## All groups of entry points")[2]
    named = {name for row in re.findall(r"^\| (`.*?) \|", rows, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert named == groups
