"""A package outside the tree adds task, metric, method, data set and protocol; the core names none."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

PLUGIN = Path(__file__).parent / "plugin"
PRETRAIN = """
method = dict(type="brightness", sign={sign})
data = dict(dataset="lamps@{data}")
batch_size = 2
schedule = dict(epochs=1)
"""
SUITE = """
name = "lamps_suite"
backbones = [
    dict(name="Wrong way round", type="random", config="wrong.py"),
    dict(name="Right way round", type="random", config="right.py"),
]
evaluations = [dict(task="triage", data="lamps@{data}", protocol="plugin/triage")]
table = "lamps_table.py"
"""
VERBS = """
import sys
from prior_bench.cli import main

for line in sys.argv[1:]:
    print("$", line, flush=True)
    if main(line.split()):
        sys.exit(line)
"""


def install(folder: Path) -> None:
    """What pip writes beside a package, made from its pyproject.toml: name, version and entry points."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    info = folder / f"bench_plugin-{project['version']}.dist-info"
    info.mkdir(parents=True)
    head = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (info / "METADATA").write_text(head)
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    (folder / "bench_plugin").symlink_to(PLUGIN / "bench_plugin")


def say(folder: Path, *lines: str, path: Path | None = None) -> dict[str, str]:
    """What the verbs print, by command line; one process for all of them."""
    places = {f"PRIOR_BENCH_{name}": str(folder / name.lower()) for name in ("RESULTS", "CACHE", "DATA")}
    environment = {**os.environ, **places, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(path or "")}
    done = subprocess.run(
        [sys.executable, "-c", VERBS, *lines],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    parts = done.stdout.split("$ ")[1:]
    return {line: part.removeprefix(line).strip() for line, part in zip(lines, parts, strict=True)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plugin")
    install(folder / "site")
    (folder / "lamps/images").mkdir(parents=True)
    rng, rows = np.random.default_rng(0), []
    for i in range(40):
        level = 190 if i % 2 else 60
        pixels = np.clip(rng.normal(level + rng.normal(0, 25), 10, (64, 64)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"lamps/images/{i}.png")
        rows.append({"name": i, "On": i % 2, "split": "train" if i < 8 else "test"})
    pd.DataFrame(rows).to_csv(folder / "lamps/lamps.csv", index=False)
    data = folder / "lamps"
    (folder / "right.py").write_text(PRETRAIN.format(sign=1, data=data))
    (folder / "wrong.py").write_text(PRETRAIN.format(sign=-1, data=data))
    (folder / "lamps_suite.py").write_text(SUITE.format(data=data))
    columns = [
        dict(
            group="Lamps",
            label=label,
            task="triage",
            data=f"lamps@{data}",
            protocol="plugin/triage",
            metric=m,
        )
        for m, label in (("log_loss", "log loss"), ("hits", "found"))
    ]
    (folder / "lamps_table.py").write_text(f"suite = 'lamps_suite'\ncolumns = {columns!r}\n")
    return folder


@pytest.fixture(scope="module")
def said(folder):
    return say(
        folder,
        "list",
        "run lamps_suite.py --dry-run",
        "run lamps_suite.py",
        f"eval triage --backbone random:right.py --data lamps@{folder / 'lamps'} --resamples 50",
        "table lamps_table.py",
        "table lamps_table.py --format json",
        "table --leaderboard --suite lamps_suite",
        "report lamps_suite.py",
        path=folder / "site",
    )


def test_list_says_where_the_parts_come_from(said):
    lines = [" ".join(line.split()) for line in said["list"].splitlines()]
    assert "triage bench_plugin.task:Triage (bench-plugin 0.3.1)" in lines
    assert "brightness bench_plugin.method:Brightness (bench-plugin 0.3.1)" in lines
    assert "lamps bench_plugin.data:read (bench-plugin 0.3.1)" in lines
    assert "plugin/triage bench_plugin.task:protocol (bench-plugin 0.3.1)" in lines


def test_the_dry_run_takes_the_task_s_own_estimate(said):
    text = said["run lamps_suite.py --dry-run"]
    assert "rough estimate: 2.0 GPU hours" in text and "2 cells: 0 done, 2 to do" in text


def lines_of(text: str) -> dict[str, list[str]]:
    """Cells of the first Markdown table by row."""
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line[:1] == "|"]
    return {cells[0]: cells[1:] for cells in rows}


def test_the_lowest_loss_is_the_best_and_headings_point_the_right_way(said):
    rows = lines_of(said["table lamps_table.py"])
    assert rows["Backbone"] == ["Lamps: log loss ↓", "Lamps: found ↑"]
    (right, found), (wrong, missed) = rows["Right way round"], rows["Wrong way round"]
    assert right.startswith("**") and wrong[0] != "*", "bold: significantly lower"
    assert float(right.strip("*")) < float(wrong) and len(wrong.partition(".")[2]) == 3, "3 digits, not × 100"
    assert (found, missed) == ("<u>100.0</u>", "0.0"), (
        "underlined: highest; all right and all wrong do not vary"
    )
    assert "Paired tests by test image, " in said["table lamps_table.py"], "this data set knows no patients"
    columns = json.loads(said["table lamps_table.py --format json"])["columns"]
    assert [(c["higher_is_better"], c["scale"], c["digits"]) for c in columns] == [
        (False, 1, 3),
        (True, 100, 1),
    ]


def test_run_leaderboard_and_eval_know_the_direction(said):
    assert lines_of(said["run lamps_suite.py"]) == lines_of(said["table lamps_table.py"])
    ranks = lines_of(said["table --leaderboard --suite lamps_suite"])
    assert ranks["Backbone"][0] == "Rank: mean ↓" and ranks["Backbone"][2].endswith("log loss ↓")
    assert ranks["Right way round"][0].strip("*") == "1.00" and ranks["Wrong way round"][0] == "2.00"
    text = next(text for line, text in said.items() if line.startswith("eval"))
    assert "protocol plugin/triage" in text and "log_loss" in text and "nobody" in text


def test_the_report_shows_the_task_by_what_it_holds(said, folder):
    page = Path(said["report lamps_suite.py"].splitlines()[-1])
    text = (folder / page).read_text()
    assert "log loss ↓" in text and "ROC: Triage on lamps" in text and "Reliability: Triage" in text


def test_without_the_plugin_the_records_still_say_what_their_metrics_mean(said, folder):
    verb = "table --leaderboard --suite lamps_suite"
    rows = lines_of(say(folder, verb)[verb])
    assert rows["Backbone"][2].endswith("log loss ↓")
    assert rows["Right way round"][0] == "1.00" and not any("**" in c for row in rows.values() for c in row)
    assert rows["Right way round"][2].startswith("<u>"), "nothing can be tested without the task"
