"""A suite killed with SIGKILL at different moments, run again: same records, no finished run repeated."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fake_parts
import pytest

DRIVER = """
import os, sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import fake_parts
from prior_bench.store import store as stores
from prior_bench.engine.execute import evaluate
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite
import torch  # once, before the forks

fake_parts.register()
suite = load_suite(sys.argv[2])


def dying(name, count):
    # kill this process just before the count-th call of os.replace, or of a store method
    owner = os if name == "replace" else stores.Store
    original, calls = getattr(owner, name), []
    def call(*arguments, **options):
        calls.append(1)
        if len(calls) == count:
            os.kill(os.getpid(), 9)
        return original(*arguments, **options)
    setattr(owner, name, call)


for moment in sys.argv[3:]:
    child = os.fork()
    if child == 0:
        kind, _, count = moment.partition(" ")
        if kind == "run":
            os.environ["FAKE_DIE_AT"] = moment
        elif kind != "undisturbed":
            dying(kind, int(count))
        outcome = evaluate(expand(suite), stores.Store.of(suite.name), device="cpu", say=lambda line: None)
        os._exit(0 if not outcome.failed else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def run(tmp_path: Path, results: str, moments: list[str]) -> list[int]:
    driver = tmp_path / "driver.py"
    driver.write_text(DRIVER)
    here = str(Path(fake_parts.__file__).parent)
    suite = str(fake_parts.suite_config(tmp_path))
    done = subprocess.run(
        [sys.executable, str(driver), here, suite, *moments],
        env={**os.environ, "PRIOR_BENCH_RESULTS": str(tmp_path / results), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [int(line) for line in done.stdout.split()]


def outcomes(folder: Path) -> dict[str, tuple]:
    records = [json.loads(p.read_text()) for p in folder.glob("tiny/runs/*/record.json")]
    return {r["key"]: (r["spec"], r["metrics"], r["trivial"], r["history"], r["split"]) for r in records}


@pytest.mark.slow
def test_killed_and_run_again(tmp_path):
    moments = [
        "run 3",  # while a task works
        "replace 2",  # a record is written beside, and not yet renamed (1 is the plan)
        "save 2",  # a task has ended, and nothing is written
        "drop_work 3",  # a record is in place, and the run not yet logged as finished
        "log 4",  # between two runs
        "undisturbed",
    ]
    assert run(tmp_path, "killed", moments) == [-9, -9, -9, -9, -9, 0]
    assert run(tmp_path, "calm", ["undisturbed"]) == [0]
    killed, calm = outcomes(tmp_path / "killed"), outcomes(tmp_path / "calm")
    assert len(calm) == 14 and killed == calm

    lines = (tmp_path / "killed/tiny/runs.log").read_text().splitlines()
    events = [tuple(line.split("\t")[1:3]) for line in lines]
    finished = Counter(key for event, key in events if event == "finished")
    assert set(finished.values()) == {1}
    for key in finished:  # nothing starts again after it has finished
        assert ("started", key) not in events[events.index(("finished", key)) :]
    started = [key for event, key in events if event == "started"]
    # one run was lost to each kill but that after the record was in place and that between two runs
    assert len(started) == 14 + 3
    assert not [p for p in (tmp_path / "killed/tiny/runs").iterdir() if p.name.startswith(".")]
