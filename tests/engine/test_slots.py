"""One slot per GPU, and a process in each that sees this GPU alone."""

import os
from collections import Counter

import fake_parts
import pytest
import torch

from prior_bench.engine.execute import evaluate
from prior_bench.engine.slots import Slot, slots_of
from prior_bench.errors import BenchError
from prior_bench.runtime import VISIBLE, bound, named_gpus
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

SUITE = """
name = "{name}"
backbones = [dict(name=str(n), type="fake_parts:FakeBackbone", value=float(n + 1)) for n in range(4)]
evaluations = [dict(task="fake_parts:Gathering", data="fake", protocol={protocol!r})]
seeds = [0, 1]
"""
PROTOCOL = 'protocol = dict(task="fake_parts:Gathering", metrics=("auroc",))'


def machine(monkeypatch, count, visible=None):
    """A machine with so many GPUs."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    if visible is None:
        monkeypatch.delenv(VISIBLE, raising=False)
    else:
        monkeypatch.setenv(VISIBLE, visible)


@pytest.mark.parametrize(
    "count, visible, gpus, names",
    [
        (4, None, "all", ["0", "1", "2", "3"]),
        (4, None, " 2, 0", ["2", "0"]),
        (2, "5,7", "all", ["5", "7"]),
        (2, "5,7", "1", ["7"]),
        (2, "GPU-ab,GPU-cd", "1,0", ["GPU-cd", "GPU-ab"]),
        (0, None, "0,3", ["0", "3"]),
    ],
)
def test_gpus_are_numbered_as_torch_does(monkeypatch, count, visible, gpus, names):
    machine(monkeypatch, count, visible)
    assert named_gpus(gpus) == names
    assert slots_of(1, gpus) == [Slot(number, name) for number, name in enumerate(names)]


@pytest.mark.parametrize(
    "count, gpus, message",
    [
        (0, "all", "--gpus: no CUDA device is visible\n  fix: use --jobs on a CPU"),
        (2, "2", "--gpus: there is no GPU 2\n  fix: there are: 0 to 1"),
        (1, "0,0", "'0,0' names a GPU twice"),
        (2, "0;1", "'0;1' is not a list of GPUs\n  fix: give 'all' or numbers"),
        (2, "-1", "is not a list of GPUs"),
        (2, "", "is not a list of GPUs"),
    ],
)
def test_what_is_no_gpu_here(monkeypatch, count, gpus, message):
    machine(monkeypatch, count)
    with pytest.raises(BenchError) as caught:
        named_gpus(gpus)
    assert message in str(caught.value)


def test_jobs_and_gpus_exclude_each_other(monkeypatch):
    machine(monkeypatch, 2)
    assert slots_of(3, None) == [Slot(0), Slot(1), Slot(2)]
    with pytest.raises(BenchError, match="--gpus: has one process per GPU\n  fix: leave out --jobs"):
        slots_of(2, "all")


def test_a_binding_ends_with_its_block(monkeypatch):
    for before in (None, "3"):
        machine(monkeypatch, 4, before)
        with bound(["1", "2"]):
            assert os.environ[VISIBLE] == "1,2"
        assert os.environ.get(VISIBLE) == before


def plan_of(folder, name):
    (folder / "data/fake").mkdir(parents=True, exist_ok=True)
    (folder / "plain.py").write_text(PROTOCOL)
    (folder / f"{name}.py").write_text(SUITE.format(name=name, protocol=str(folder / "plain.py")))
    return expand(load_suite(str(folder / f"{name}.py")))


def test_a_device_of_its_own_is_refused_beside_gpus(tmp_path):
    with pytest.raises(BenchError, match="--gpus: cannot be used together with --device cuda:1"):
        evaluate(plan_of(tmp_path, "both"), Store.of("both"), device="cuda:1", gpus="0,1", say=str)


def test_a_pre_training_that_takes_more_gpus_than_there_are_is_refused(tmp_path):
    plan = plan_of(tmp_path, "large")
    for source in plan.sources.values():
        source.gpus_wanted = lambda seed, folder: 3
    with pytest.raises(BenchError, match="0: its pre-training takes 3 GPUs, and --gpus names 2\n  fix: name"):
        evaluate(plan, Store.of("large"), device="cpu", gpus="0,1", say=str)


@pytest.mark.slow
def test_each_gpu_has_a_process_that_is_bound_to_it_and_each_cell_is_run_once(tmp_path, monkeypatch):
    plan, store = plan_of(tmp_path, "four"), Store.of("four")
    monkeypatch.setenv("FAKE_GATHER", "4")  # no process is done before all four are at work
    outcome = evaluate(plan, store, device="cpu", gpus="0,1,2,3", say=str)
    assert len(outcome.ran) == 8 and not outcome.failed
    lines = (store.root / "runs.log").read_text().splitlines()
    assert Counter(line.split("\t")[1] for line in lines) == {"started": 8, "finished": 8}
    bindings = [record.provenance["binding"] for record in store.records().values()]
    assert {(one["slot"], one[VISIBLE]) for one in bindings} == {(n, str(n)) for n in range(4)}
    assert {record.metrics["visible"] for record in store.records().values()} == {0.0, 1.0, 2.0, 3.0}
    assert all(
        record.metrics["visible"] == float(record.provenance["binding"][VISIBLE])
        for record in store.records().values()
    )
    assert not any((store.root / "claims").iterdir())
    one = evaluate(plan_of(tmp_path, "one"), Store.of("one"), device="cpu", say=str)
    assert set(one.records) == set(outcome.records), "a binding is in no key"
    assert all("binding" not in record.provenance for record in one.records.values())


assert fake_parts  # importable by the other processes
