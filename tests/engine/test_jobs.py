"""Several backbones at once, each in a process of its own."""

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import fake_parts
import pytest

from prior_bench import logs
from prior_bench.engine import job_process
from prior_bench.engine.execute import evaluate
from prior_bench.engine.runner import Runner
from prior_bench.errors import BenchError, StorageError
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

# Named in full, as what this process has registered is not known to the others.
SUITE = """
name = "{name}"
backbones = [
    dict(name="Low", type="fake_parts:FakeBackbone", has_text=False),
    dict(name="High", type="fake_parts:FakeBackbone", value=2.0),
    dict(name="None", type="fake_parts:FakeBackbone", value=3.0, broken=True),
]
evaluations = [
    dict(task="fake_parts:{task}", data="fake", protocol="{protocol}"),
]
seeds = [0, 1]
"""
PROTOCOL = 'protocol = dict(task="fake_parts:{task}", metrics=("auroc",))'


def plan_of(folder, name, task="FakeTask"):
    (folder / "data" / "fake").mkdir(parents=True, exist_ok=True)
    protocol, config = folder / "plain.py", folder / f"{name}.py"
    protocol.write_text(PROTOCOL.format(task=task))
    config.write_text(SUITE.format(name=name, task=task, protocol=protocol))
    return expand(load_suite(str(config)))


def run(folder, name, jobs, say=str, **options):
    plan = plan_of(folder, name, **options)
    return evaluate(plan, Store.of(name), device="cpu", jobs=jobs, say=say), Store.of(name)


@pytest.mark.slow
def test_many_jobs_record_what_one_does(tmp_path):
    lines = []
    one, _ = run(tmp_path, "one", 1)
    two, store = run(tmp_path, "two", 2, lines.append)
    assert len(two.ran) == 4 and len(two.failed) == 2
    assert {k: r.metrics for k, r in one.records.items()} == {k: r.metrics for k, r in two.records.items()}
    assert all((store.predictions(key)["score"] > 0).all() for key in two.ran)
    assert sum(line.startswith("[6/6]") for line in lines) == 1
    assert sum("FAILED: RuntimeError: no weights today" in line for line in lines) == 2
    again, _ = run(tmp_path, "two", 2)
    assert not again.ran and len(again.skipped) == 4


@pytest.mark.slow
def test_jobs_import_nothing_that_lies_in_the_working_folder(tmp_path, hiding_modules):
    outcome, _ = run(tmp_path, "two", 2)
    assert len(outcome.ran) == 4 and not hiding_modules.exists()


@pytest.mark.slow
def test_a_killed_process_is_reported_and_its_runs_are_done_next_time(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DIE_AT", "run 2")
    with pytest.raises(
        BenchError,
        match=r"process \d+ was killed by SIGKILL in (\w+) · fake(.|\n)*finished runs are recorded",
    ):
        run(tmp_path, "cut", 3)
    recorded = [r.spec["backbone"]["name"] for r in Store.of("cut").records().values()]
    assert recorded.count("None") == 2  # the last in the plan: the other processes went on
    monkeypatch.delenv("FAKE_DIE_AT")
    outcome, store = run(tmp_path, "cut", 2)
    assert len(outcome.ran) + len(outcome.skipped) == 4
    assert len([r for r in store.records().values() if r.status == "done"]) == 4


def test_a_fault_outside_of_a_run_is_logged_and_ends_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv("PRIOR_BENCH_RESULTS", str(tmp_path))

    def faulty(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(job_process, "_serve_runs", faulty)
    tmp_path.mkdir(exist_ok=True)
    with logs.logged("run") as log:
        with pytest.raises(RuntimeError, match="ours"):
            job_process.work(None, SimpleNamespace(log=(log, False)), None)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = [line for line in lines if line["message"] == "a process failed outside of a run"]
    assert found and found[0]["level"] == "ERROR" and "RuntimeError: ours" in found[0]["traceback"]


@pytest.mark.slow
def test_a_claim_that_is_a_link_is_one_message_with_any_number_of_jobs(tmp_path, capfd):
    plan, store = plan_of(tmp_path, "linked"), Store.of("linked")
    (store.root / "claims").mkdir(parents=True)
    for planned in plan.runs:
        (store.root / "claims" / planned.key).symlink_to(tmp_path / "mine")
    for jobs in (1, 2):
        with pytest.raises(BenchError, match=r"is a symbolic link\n  fix: delete it"):
            evaluate(plan, store, device="cpu", jobs=jobs, say=str)
    assert "Traceback" not in capfd.readouterr().err
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_a_store_that_cannot_be_written_is_one_message_and_no_failed_run(tmp_path, capfd):
    plan, store = plan_of(tmp_path, "full"), Store.of("full")
    (store.root / "runs.log").mkdir(parents=True)  # cannot be written, as where the disk is full
    with pytest.raises(StorageError, match=r"runs.log: cannot be written: Is a directory\n  fix: set PRIOR"):
        evaluate(plan, store, device="cpu", jobs=2, say=str)
    assert "Traceback" not in capfd.readouterr().err
    assert not store.records()


DRIVER = """
import os
import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # a shell starts programs in the background with Ctrl-C ignored
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.path[:0] = sys.argv[1].split(os.pathsep)
    import fake_parts
    import test_jobs
    fake_parts.register()
    test_jobs.run(Path(sys.argv[2]), "sleep", 2, task="Sleeper")
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_the_one_that_started_it(tmp_path, how):
    (tmp_path / "driver.py").write_text(DRIVER)
    modules = os.pathsep.join(str(Path(file).parent) for file in (__file__, fake_parts.__file__))
    command = [sys.executable, str(tmp_path / "driver.py"), modules, str(tmp_path)]
    parent = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    pids = wait_until(lambda: found if len(found := list(tmp_path.glob("data/fake/*.pid"))) == 2 else None)
    children = [int(path.stem) for path in pids]
    if how == signal.SIGINT:
        os.killpg(parent.pid, how)  # a terminal's Ctrl-C reaches all of them
    else:
        parent.send_signal(how)
    _, errors = parent.communicate(timeout=20)
    wait_until(lambda: not any(map(alive, children)))
    assert not list((tmp_path / "results/sleep/runs").glob("*")), "an interrupted run is no failed one"
    assert errors.count("Traceback") == (how == signal.SIGINT), errors  # the parent's own


def wait_until(condition):
    for _ in range(2400):  # two minutes: other tests may be running
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


def alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_a_plan_knows_its_data_in_another_process(tmp_path):
    plan = plan_of(tmp_path, "pickled")
    spec = plan.runs[0].spec
    there = pickle.loads(pickle.dumps(plan.data_sets))
    assert there.already_read(spec.data, spec.protocol, spec.seed) is not None
    there._read.clear()  # the fingerprint needs no second look at the files
    shutil.rmtree(tmp_path / "data")
    of = spec.data, spec.protocol, spec.seed
    assert there.fingerprint(*of) == plan.data_sets.fingerprint(*of)


def test_less_than_one_job(tmp_path):
    with pytest.raises(BenchError, match="--jobs: is 0; must be at least 1"):
        run(tmp_path, "none", 0)


assert fake_parts  # importable by the other processes


@pytest.mark.slow
def test_a_suite_that_states_its_threads_gets_them_whatever_the_jobs(tmp_path):
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        for name, jobs in (("alone", 1), ("shared", 2)):
            plan = plan_of(tmp_path, name)
            plan.suite.threads = 1
            store = Store.of(name)
            evaluate(plan, store, device="cpu", jobs=jobs, say=str)
            used = {record.provenance["hardware"]["threads"] for record in store.records().values()}
            assert used == {1}, name
        assert torch.get_num_threads() == 2, "afterwards as before"
        plan.suite.threads = 2
        store = Store.of("stated")
        evaluate(plan, store, device="cpu", jobs=1, say=str)
        assert {record.provenance["hardware"]["threads"] for record in store.records().values()} == {2}
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
def test_a_small_model_has_one_thread_whatever_the_jobs_and_a_large_one_what_there_is(tmp_path, monkeypatch):
    import torch

    def used(name, jobs):
        plan, store = plan_of(tmp_path, name), Store.of(name)
        evaluate(plan, store, device="cpu", jobs=jobs, say=str)
        records = store.records().values()
        return {r.provenance["hardware"]["threads"] for r in records if r.status == "done"}

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        assert used("small", 1) == {1} and used("small_jobs", 2) == {1}
        assert torch.get_num_threads() == 2
        monkeypatch.setattr("prior_bench.runtime.SMALL", -1)
        assert used("large", 1) == {2}
    finally:
        torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_records_tell_what_numbers_depend_on(tmp_path, jobs):
    import torch

    _, store = run(tmp_path, "told", jobs)
    for record in store.records().values():
        hardware = record.provenance["hardware"]
        assert hardware["instructions"] == torch.backends.cpu.get_cpu_capability()
        assert hardware["deterministic"] is True and hardware["blas"]
    assert not torch.are_deterministic_algorithms_enabled(), "afterwards as before"


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_log_has_the_lines_of_every_process_with_the_keys_of_their_runs(tmp_path, jobs):
    with logs.logged("run") as path:
        outcome, _ = run(tmp_path, "noted", jobs)
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    of_runs = [line for line in lines if line["run"]]
    assert {line["run"] for line in of_runs} == set(outcome.records)
    assert (os.getpid() in {line["process"] for line in of_runs}) == (jobs == 1)
    failed = [line for line in lines if line["level"] == "ERROR"]
    assert {line["run"] for line in failed} == set(outcome.failed)
    assert all("RuntimeError: no weights today" in line["traceback"] for line in failed)


@pytest.mark.parametrize("stated, size, found", [(None, None, 1), (2, None, 2), (None, -1, 2)])
def test_a_record_tells_the_threads_that_the_run_had(tmp_path, monkeypatch, stated, size, found):
    import torch

    if size is not None:
        monkeypatch.setattr("prior_bench.runtime.SMALL", size)
    plan, store, before, used = plan_of(tmp_path, "told"), Store.of("told"), torch.get_num_threads(), []
    plan.suite.threads = stated
    run_task = Runner._run_task

    def noted(self, backbone, run):
        used.append(torch.get_num_threads())
        return run_task(self, backbone, run)

    monkeypatch.setattr(Runner, "_run_task", noted)
    try:
        torch.set_num_threads(2)
        evaluate(plan, store, device="cpu", jobs=1, say=str)
    finally:
        torch.set_num_threads(before)
    told = {one.provenance["hardware"]["threads"] for one in store.records().values() if one.status == "done"}
    assert told == set(used) == {found}
