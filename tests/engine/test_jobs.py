"""Several backbones at once, each in a process of its own."""

import fake_parts
import pytest

from prior_bench.engine.execute import evaluate
from prior_bench.engine.plan import expand
from prior_bench.engine.store import Store
from prior_bench.engine.suite import load_suite
from prior_bench.errors import BenchError

# Named in full, as what this process has registered is not known to the others.
SUITE = """
name = "{name}"
backbones = [
    dict(name="Low", type="fake_parts:FakeBackbone", has_text=False),
    dict(name="High", type="fake_parts:FakeBackbone", value=2.0),
    dict(name="None", type="fake_parts:FakeBackbone", value=3.0, broken=True),
]
evaluations = [
    dict(task="fake_parts:FakeTask", data="fake", protocol="{protocol}"),
]
seeds = [0, 1]
"""
PROTOCOL = 'protocol = dict(task="fake_parts:FakeTask", metrics=("auroc",))'


def run(folder, name, jobs, say=str):
    (folder / "data" / "fake").mkdir(parents=True, exist_ok=True)
    (folder / "plain.py").write_text(PROTOCOL)
    config = folder / f"{name}.py"
    config.write_text(SUITE.format(name=name, protocol=folder / "plain.py"))
    plan = expand(load_suite(str(config)))
    return evaluate(plan, Store.of(name), device="cpu", jobs=jobs, say=say), Store.of(name)


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


def test_a_killed_process_is_reported_and_its_runs_are_done_next_time(tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DIE_AT", "run 2")
    with pytest.raises(BenchError, match="a process was killed; what it had finished is recorded"):
        run(tmp_path, "cut", 2)
    monkeypatch.delenv("FAKE_DIE_AT")
    outcome, store = run(tmp_path, "cut", 2)
    assert len(outcome.ran) + len(outcome.skipped) == 4
    assert len([r for r in store.records().values() if r.status == "done"]) == 4


def test_less_than_one_job(tmp_path):
    with pytest.raises(BenchError, match="--jobs: is 0; must be at least 1"):
        run(tmp_path, "none", 0)


assert fake_parts  # importable by the other processes
