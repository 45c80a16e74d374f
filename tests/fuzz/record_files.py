"""Damage records, plans, predictions and archives, and run every verb that reads them.

``python record_files.py FOLDER FIRST COUNT``; see :mod:`seeds`. Each seed makes a colleague's store from a
clean one, changes one or a few of its files, and runs verbs in this process. An audit hook notes what is
opened, run, imported or connected to.
"""

import contextlib
import io
import os
import random
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import numpy as np
import record_mutations as mutations
from seeds import Attempt, Stopwatch, Tried, campaign

SUITE = """
name = "theirs"
title = "Theirs"
backbones = [dict(name="A", type="random", config="convirt_sample")]
evaluations = [dict(task="classification", data="all", protocol="demo/linear_probe")]
"""
CANARY = (
    "from pathlib import Path\nPath(__file__).with_name('ran').touch()\nread = Read = load = Hook = print\n"
)
HISTORIC = Path(__file__).parents[1] / "historic/stores/schema1_2026_11_29"
FEWER = 5
"""Records of other tasks that a seed leaves out."""


# --- the clean store


def make_clean(folder: Path) -> Path:
    """A small store with data of its own, and records of all tasks; beside it secrets and canaries."""
    from PIL import Image
    from scored_store import save

    from prior_bench.store.store import Store

    (folder / "data/all").mkdir(parents=True)
    lines = ["id,image,patient_id,split,sex,Edema,Effusion"]
    for n in range(40):
        pixels = np.random.default_rng(n).integers(0, 255, (16, 16), np.uint8)
        Image.fromarray(pixels).save(folder / f"data/all/i{n:03}.png")
        lines.append(f"i{n:03},i{n:03}.png,p{n // 2:03},test,{'FM'[n % 2]},{n % 2},{n // 2 % 2}")
    (folder / "data/all/all.csv").write_text("\n".join(lines))
    (folder / "secret").mkdir()
    shutil.copytree(folder / "data/all", folder / "secret/all")
    (folder / "secret/history.json").write_text('[{"epoch": 1, "loss": 1}, {"epoch": 2, "loss": 0.5}]')
    (folder / "secret/traceback.txt").write_text("secret")
    for name in ("evil.py", "hubconf.py", "secret/evil.py"):
        (folder / name).write_text(CANARY)
    (folder / "theirs.py").write_text(SUITE)
    store = Store(folder / "clean")
    data = {"name": "all", "type": "csv", "root": str(folder / "data/all/all.csv")}
    cells = []
    for name, skill in (("A", 1.0), ("B", 2.0)):
        for seed in (0, 1):
            run = save(store, name, skill, seed, patients=20, data=data)
            cells.append({"spec": run.spec, "key": run.key, "reason": ""})
    historic, seen = Store(HISTORIC), set()
    for key, record in historic.records().items():
        if record.spec["task"] not in seen:
            seen.add(record.spec["task"])
            shutil.copytree(historic.runs / key, store.runs / key)
            cells.append({"spec": record.spec, "key": key, "reason": ""})
    store.save_plan(cells)
    return store.root


# --- what happens


class Watch:
    """Notes what this process opens, runs or connects to while it is on."""

    def __init__(self, folder: Path):
        self.folder, self.on, self.seen = folder, False, []
        sys.addaudithook(self)

    def __call__(self, event: str, arguments: tuple) -> None:
        if not self.on:
            return
        if event == "open" and str(arguments[0]).startswith((str(self.folder / "secret"), "/dev/zero")):
            self.seen.append(f"opened {arguments[0]}")
        elif event == "import" and str(arguments[0]).partition(".")[0] in ("evil", "hubconf"):
            self.seen.append(f"imported {arguments[0]}")
        elif event in ("socket.connect", "socket.getaddrinfo", "os.system", "os.exec", "os.posix_spawn"):
            self.seen.append(f"{event} {arguments[1:]}")
        elif event == "subprocess.Popen" and not str(arguments[0]).endswith(("git", "lscpu")):
            self.seen.append(f"started {arguments[:2]}")


def verbs(luck: random.Random, keys: list[str]) -> list[list[str]]:
    """Commands that read the store ``theirs``; each seed takes some."""
    key = luck.choice(keys)
    every = [
        ["show", f"theirs/{key}", "--resamples", "3"],
        ["show", f"theirs/{key}", "--json"],
        ["compare", "theirs", "clean"],
        ["compare", "theirs/a-0", "theirs/b-0"],
        ["compare", f"theirs/{key}", f"clean/{key}"],
        [
            "table",
            "--leaderboard",
            "--suite",
            "theirs",
            "--format",
            luck.choice(["markdown", "latex", "csv", "json"]),
        ],
        ["table", "--leaderboard", "--suite", "theirs", "--no-test", "--ranks", "results/ranks.svg"],
        ["subgroups", "theirs", "--resamples", "3", "--least", "2"],
        ["results", "export", "theirs", "--output", "results/again.zip"],
        ["results", "migrate", "theirs"],
        ["results", "import", "results/theirs", "--suite", "merged"],
        ["results", "import", "sent.zip", "--suite", "merged"],
    ]
    every += [["report", "theirs.py"]] * 3
    return luck.sample(every, 5)


def spoken(command: list[str]) -> tuple[int, str]:
    """Run a command; its status and what it said on stderr."""
    from prior_bench.cli import main

    said = io.StringIO()
    with (
        contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")),
        contextlib.redirect_stderr(said),
    ):
        try:
            status = main(command)
        except SystemExit as stopped:
            status = int(stopped.code or 0)
    return status, said.getvalue()


def run_reads(folder: Path) -> None:
    """What ``run`` does with the records and the plan of its store before it runs anything."""
    from prior_bench.engine.clock import Clock
    from prior_bench.engine.execute import merged_plan
    from prior_bench.store.changed_source import changed_records
    from prior_bench.store.store import Store

    store = Store(folder / "results/theirs")
    with contextlib.redirect_stderr(io.StringIO()):
        merged_plan(SimpleNamespace(runs=[], partial=True), store)  # type: ignore[arg-type]
        Clock(store)
        changed_records(store.records().values())


def state_of(root: Path) -> dict[str, bytes]:
    """Content of all files of a folder."""
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def outside(folder: Path) -> set[str]:
    """Files that nobody should write: all but results and cache."""
    found = set()
    for place, folders, files in os.walk(folder):
        if Path(place) == folder:
            folders[:] = [name for name in folders if name not in ("results", "cache", "__pycache__")]
        found |= {str(Path(place) / name) for name in files}
    return found


def changed(theirs: Path, folder: Path, luck: random.Random, odd: list[Any]) -> list[str]:
    """Damage a store and what is sent of it; return what was done."""
    runs = sorted((theirs / "runs").iterdir())
    kind = luck.choice(["record"] * 4 + ["plan"] * 2 + ["predictions"] * 3 + ["files"])
    if kind == "record":
        what = mutations.change_json(luck.choice(runs) / "record.json", luck, odd)
    elif kind == "plan":
        what = mutations.change_json(theirs / "plan.json", luck, odd)
    elif kind == "predictions":
        with_arrays = [run / "predictions.npz" for run in runs if (run / "predictions.npz").is_file()]
        what = mutations.change_arrays(luck.choice(with_arrays), luck)
    else:
        what = mutations.change_files(theirs, folder, luck)
    return [what, mutations.archive_of(theirs, folder / "sent.zip", folder, luck)]


def wrong_with(command: list[str], folder: Path, watch: Watch) -> tuple[str, list[str], float]:
    """Run a command; what it says if it warns or fails, what must not have happened, and its CPU seconds."""
    clock, said, status = Stopwatch(), "", 0
    watch.on = True
    try:
        if command == ["run"]:
            run_reads(folder)
        else:
            status, said = spoken(command)
    finally:
        watch.on = False
    wrong = []
    if "internal fault" in said or "Traceback" in said or status not in (0, 1, 2):
        trace = said.split("traceback: ")[-1].splitlines()[0] if "traceback: " in said else ""
        detail = Path(trace).read_text()[-1500:] if trace and Path(trace).is_file() else said[-1500:]
        wrong.append(f"{command}: {detail}")
    return said if "warning" in said or status else "", wrong, clock.computed()


def prepare(folder: Path) -> Attempt:
    """Make the clean store, and try a first seed so that libraries are loaded."""
    from prior_bench.report.runs.draws import load_predictions

    for name in ("DATA", "RESULTS", "CACHE"):
        os.environ[f"PRIOR_BENCH_{name}"] = str(folder / name.lower())
    os.environ["PRIOR_BENCH_PROGRESS"] = ""
    os.chdir(folder)
    sys.path.append(str(folder))
    clean, odd, watch = make_clean(folder), mutations.odd_values(folder), Watch(folder)
    results = folder / "results"

    def attempt(seed: int) -> Tried:
        luck = random.Random(seed)
        shutil.rmtree(results, ignore_errors=True)
        keys = sorted(path.name for path in (clean / "runs").iterdir())
        absent = luck.sample([key for key in keys if key[1:2] != "-"], FEWER)  # a report on all takes a while
        for name in ("theirs", "clean", "merged"):
            shutil.copytree(clean, results / name, ignore=shutil.ignore_patterns(*absent))
        keys = [key for key in keys if key not in absent]
        what = changed(results / "theirs", folder, luck, odd)
        shutil.rmtree(results / "merged/runs" / luck.choice(keys))
        kept, before = state_of(results / "merged/runs"), outside(folder)
        load_predictions.cache_clear()
        watch.seen = []
        told, wrong, slowest = "", [], 0.0
        for command in [["run"], *verbs(luck, keys)]:
            said, found, took = wrong_with(command, folder, watch)
            told, wrong, slowest = told + said, wrong + found, max(slowest, took)
        wrong += watch.seen
        if any((folder / place / "ran").exists() for place in (".", "secret")) or "evil" in sys.modules:
            wrong.append("code was run")
        if added := outside(folder) - before:
            wrong.append(f"written: {sorted(added)}")
        after = state_of(results / "merged/runs")
        note = " and ".join(what)
        return Tried(
            bool(told),
            [f"{note}: {text}" for text in wrong],
            [f"{note}: {name}" for name, content in kept.items() if after.get(name) != content],
            seconds=slowest,
        )

    attempt(0)
    return attempt


if __name__ == "__main__":
    campaign("records, plans and archives", prepare)
