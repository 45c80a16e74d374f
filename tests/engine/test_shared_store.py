"""Several processes run cells of one store: each cell once, and nobody is refused."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import fake_parts
import pytest

from prior_bench.api import RunRecord
from prior_bench.engine import claimed_runs
from prior_bench.engine.execute import Overwrite, evaluate
from prior_bench.io.claims import Owner
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

DRIVER = """
import contextlib, io, json, os, sys, time

sys.path.insert(0, sys.argv[1])
import fake_parts
import torch  # once, before the forks
from prior_bench.cli import main

torch.set_num_threads(1)
fake_parts.register()
original = fake_parts.FakeTask.run


def slowly(self, *arguments):
    time.sleep(0.05)
    return original(self, *arguments)


fake_parts.FakeTask.run = slowly
commands, results = json.loads(sys.argv[2]), os.environ["PRIOR_BENCH_RESULTS"]
os.environ["PRIOR_BENCH_RESULTS"] = "warm"  # what the first command imports, the others then share
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(commands[0])
os.environ["PRIOR_BENCH_RESULTS"] = results
begin, children = os.pipe(), []
for number, command in enumerate(commands):
    child = os.fork()
    if child == 0:
        os.close(begin[1])
        os.read(begin[0], 1)  # until all are there
        sys.stdout = open(f"{number}.out", "w")
        sys.stderr = open(f"{number}.err", "w")
        code = main(command)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    children.append(child)
os.close(begin[1])
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
"""


def at_once(folder: Path, commands: list[list[str]]) -> tuple[list[str], list[str]]:
    """Run commands at the same time, each in a process of its own; return what they print."""
    driver = folder / "driver.py"
    driver.write_text(DRIVER)
    helpers = str(Path(fake_parts.__file__).parent)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PRIOR_BENCH_PROGRESS": ""}
    done = subprocess.run(
        [sys.executable, str(driver), helpers, json.dumps(commands)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    out, err = (
        [(folder / f"{n}.{kind}").read_text() for n in range(len(commands))] for kind in ("out", "err")
    )
    assert done.stdout.strip() == str([0] * len(commands)), [*err, done.stderr]
    return out, err


def events(store: Store) -> Counter:
    """How often each event of each key is in the log."""
    lines = (store.root / "runs.log").read_text().splitlines()
    return Counter(tuple(line.split("\t")[1:3]) for line in lines)


def left_over(store: Store) -> list[Path]:
    return [*(store.root / "claims").iterdir(), *store.root.rglob(".*.part")]


@pytest.mark.slow
def test_ten_evaluations_at_once_in_one_store_are_all_recorded(tmp_path):
    sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))
    from world import World

    command = [*World(tmp_path / "world").commands(tmp_path)["eval"], "--resamples", "0", "--device", "cpu"]
    seeds = [0, 0, 0, 1, 1, 2, 3, 4, 5, 6]  # five have a cell of their own, the others share two
    out, _ = at_once(tmp_path, [[*command, "--seed", str(seed)] for seed in seeds])
    store = Store.of("eval")
    records = store.records()
    assert sorted(record.spec["seed"] for record in records.values()) == [0, 1, 2, 3, 4, 5, 6]
    assert events(store) == {(event, key): 1 for event in ("started", "finished") for key in records}
    assert {cell["key"] for cell in store.plan()} == set(records)
    assert all("recall" in text for text in out) and out[0].splitlines()[-3:] == out[1].splitlines()[-3:]
    assert not left_over(store)


@pytest.mark.slow
def test_two_runs_of_a_suite_at_once_share_its_cells(tmp_path):
    suite = str(fake_parts.suite_config(tmp_path))
    out, _ = at_once(tmp_path, [["run", suite]] * 2)
    store = Store.of("tiny")
    records = store.records()
    assert len(records) == 14
    assert events(store) == {(event, key): 1 for event in ("started", "finished") for key in records}
    counts = [[int(word) for word in text.splitlines()[-2].split() if word.isdecimal()] for text in out]
    assert sum(ran for ran, *_ in counts) == 14 and all(ran + done == 14 for ran, done, _ in counts)
    assert all(ran > 0 for ran, *_ in counts)
    assert not left_over(store)


# --- in this process


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(claimed_runs, "PAUSES", (0.01, 0.05))


@pytest.fixture
def plan(tmp_path):
    return expand(load_suite(str(fake_parts.suite_config(tmp_path))), only=["seed=0"])


def run(plan, **options):
    lines, store = [], Store.of("tiny")
    return evaluate(plan, store, device="cpu", say=lines.append, **options), store, lines


def test_a_claimed_cell_is_left_for_the_end_and_waited_for(plan, parts):
    store, first, lines = Store.of("tiny"), plan.runnable()[0], []
    claim = store.claims.take(first.key)

    def say(line):
        lines.append(line)
        if line.startswith("waiting for"):
            threading.Timer(0.2, claim.release).start()

    outcome = evaluate(plan, store, device="cpu", say=say)
    assert len(outcome.ran) == 7 and outcome.ran[-1] == first.key, "the others came first"
    owner = f"process {os.getpid()} on "
    assert lines[0].startswith(f"{first.label}: claimed by {owner}")
    assert lines[-3].startswith(f"waiting for {owner}") and lines[-1].startswith("[7/7]")
    assert sum(line.startswith("waiting for") for line in lines) == 1
    assert not left_over(store)


def test_what_another_process_has_recorded_meanwhile_is_not_run_again(plan, parts):
    _, store, _ = run(plan)
    first, *others = plan.runnable()
    theirs = store.get(first.key)
    for key in [run.key for run in plan.runnable()]:
        (store.runs / key / "record.json").unlink()
    claim = store.claims.take(first.key)

    def say(line):
        lines.append(line)
        if line.startswith("waiting for"):
            store.save(theirs)
            claim.release()

    parts.register()
    lines: list[str] = []
    outcome = evaluate(plan, store, device="cpu", say=say)
    assert sorted(outcome.ran) == sorted(run.key for run in others) and outcome.skipped == [first.key]
    assert len(parts.FakeTask.runs) == 6 and set(outcome.records) == {run.key for run in plan.runnable()}
    assert lines[-1].startswith(f"[7/7] {first.label}: done by another process")


@pytest.mark.parametrize("overwrite", [Overwrite.FAILED, Overwrite.ALL])
def test_a_cell_that_was_recorded_before_is_run_again_if_wanted(plan, overwrite):
    first = plan.runnable()[0]
    Store.of("tiny").save(RunRecord(key=first.key, status="failed", spec=first.spec.to_dict(), error="x"))
    outcome, _, _ = run(plan, overwrite=overwrite)
    assert len(outcome.ran) == 7 and not outcome.failed


def test_the_claim_of_a_killed_process_is_taken_over_without_a_word(plan):
    store, first = Store.of("tiny"), plan.runnable()[0]
    store.claims.take(first.key)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    path = store.root / "claims" / first.key
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": ended.pid}))
    outcome, _, lines = run(plan)
    assert len(outcome.ran) == 7 and not any("claimed" in line for line in lines) and not left_over(store)


def test_a_run_that_another_host_has_taken_over_is_left_to_it(plan, parts, monkeypatch):
    """This process was suspended for long: what it has computed is dropped, also a failure."""
    original, lost = parts.FakeTask.run, []

    def suspended(self, *arguments):
        path = store.root / "claims" / arguments[-1].work_dir.name
        if len(lost) < 2:
            lost.append(path.name)
            theirs = Owner(host="elsewhere", machine="0", pid=1, token="beef")
            path.write_text(json.dumps(asdict(theirs)))
            threading.Timer(0.3, path.unlink).start()  # and this one has ended without a record
            if len(lost) == 2:
                raise ValueError("too late")
        return original(self, *arguments)

    store, saved = Store.of("tiny"), []
    save = Store.save
    monkeypatch.setattr(parts.FakeTask, "run", suspended)
    monkeypatch.setattr(
        Store, "save", lambda self, record, *rest: (saved.append(record), save(self, record, *rest))[1]
    )
    outcome, _, _ = run(plan)
    assert len(outcome.ran) == 7 and not outcome.failed
    assert Counter(record.key for record in saved) == dict.fromkeys(outcome.ran, 1)
    assert outcome.ran[-2:] == lost


def test_a_store_works_where_no_file_can_be_locked(plan, monkeypatch):
    def flock(*arguments):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    for name in ("flock", "lockf"):
        monkeypatch.setattr(fcntl, name, flock)
    outcome, store, _ = run(plan)
    assert len(outcome.ran) == 7 and len(store.plan()) == 8 and not left_over(store)


def test_a_partial_plan_of_another_process_is_not_lost(plan, tmp_path):
    """The plan is read and saved under a claim; others wait for it."""
    store, order = Store.of("tiny"), []

    def other():
        run(plan)
        order.append("run")

    with store.changing_plan():
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.2)
        order.append("plan")
    thread.join(30)
    assert order == ["plan", "run"]
