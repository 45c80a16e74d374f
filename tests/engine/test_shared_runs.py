"""Runs that several processes share: ranks of torchrun, or slots of ``--gpus``."""

from dataclasses import replace

import pytest
import torch.distributed as dist
from forked_ranks import as_torchrun, in_ranks
from torch.multiprocessing import ProcessExitedException

from prior_bench.engine.events import RanksEnded
from prior_bench.engine.execute import evaluate
from prior_bench.engine.shared_ranks import agreed
from prior_bench.errors import BenchError
from prior_bench.io.atomic import write_text
from prior_bench.pretraining.processes import joined
from prior_bench.runtime import VISIBLE
from prior_bench.store.store import Store
from prior_bench.suites.plan import expand
from prior_bench.suites.suite import load_suite

SUITE = """
name = "{name}"
backbones = [dict(name=str(n), type="fake_parts:FakeBackbone", value=float(n + 1)) for n in range(2)]
evaluations = [dict(task="shared_parts:Shared", data="fake", protocol={protocol!r})]
seeds = [0, 1]
"""
PROTOCOL = 'protocol = dict(task="shared_parts:Shared", metrics=("auroc",))'


def plan_of(folder, name="shared", gpus=2):
    """Four runs; those of the first backbone want several GPUs."""
    write_text(folder / "protocol.py", PROTOCOL)  # at once: processes of a test write it beside each other
    write_text(folder / "suite.py", SUITE.format(name=name, protocol=str(folder / "protocol.py")))
    (folder / "data" / "fake").mkdir(parents=True, exist_ok=True)
    plan = expand(load_suite(str(folder / "suite.py")))
    plan.runs = [replace(run, gpus=gpus if run.spec.backbone["name"] == "0" else 1) for run in plan.runs]
    return plan


def of_each_backbone(store, what):
    found = {"0": [], "1": []}
    for record in store.records().values():
        found[record.spec["backbone"]["name"]].append(what(record))
    return found


def together_or_not(fault, rank):
    """What a process makes of something that fails in one of two."""

    def do():
        if fault and dist.get_rank() == rank:
            raise ValueError("this image is broken")
        return dist.get_rank()

    with joined("cpu") as processes:
        try:
            return agreed(processes, do)
        except (ValueError, BenchError) as error:
            return f"{type(error).__name__}: {error}"


def test_what_succeeds_in_all_processes_counts(tmp_path):
    assert in_ranks(2, tmp_path, together_or_not, False, 0) == [0, 1]


def test_what_fails_in_one_process_is_said_in_all(tmp_path):
    first, second = in_ranks(2, tmp_path, together_or_not, True, 1)
    assert first == "BenchError: process 1 of 2: this image is broken"
    assert second == "ValueError: this image is broken"


def of_torchrun(folder):
    """Evaluate as a process of torchrun; return what was run and what was found."""
    said = []
    outcome = evaluate(plan_of(folder), Store.of("shared"), device="cpu", say=said.append)
    return outcome.ran, outcome.skipped, sorted(outcome.records), said


def test_ranks_share_the_runs_that_want_it_and_take_the_others_each(tmp_path):
    keys = {name: [] for name in "01"}
    for run in plan_of(tmp_path).runs:
        keys[run.spec.backbone["name"]].append(run.key)
    first, second = as_torchrun(2, tmp_path, of_torchrun, tmp_path)
    assert set(keys["0"]) <= set(first[0]) and set(keys["0"]) <= set(second[1])
    assert sorted(first[0] + second[0]) == sorted(keys["0"] + keys["1"]), "each run once"
    assert first[2] == second[2] == sorted(keys["0"] + keys["1"])
    store = Store.of("shared")
    assert of_each_backbone(store, lambda record: record.metrics["auroc"]) == {"0": [2, 2], "1": [1, 1]}
    told = of_each_backbone(store, lambda record: record.provenance.get("processes"))
    assert told == {"0": [2, 2], "1": [None, None]}
    assert not any((store.root / "claims").iterdir())


@pytest.mark.slow
def test_an_error_of_all_ranks_is_recorded_by_the_first(tmp_path, monkeypatch):
    monkeypatch.setenv("SHARED_FAULT", "broken all")
    for ran, _, records, _ in as_torchrun(2, tmp_path, of_torchrun, tmp_path):
        assert len(records) == 4 and len(ran) <= 2
    errors = of_each_backbone(Store.of("shared"), lambda record: record.error)
    assert errors == {"0": ["7.png: this image is broken"] * 2, "1": ["", ""]}


def with_a_killed_rank(folder):
    """What the process says that is left."""
    with pytest.raises(RanksEnded) as raised:
        of_torchrun(folder)
    return str(raised.value)


@pytest.mark.slow
def test_a_rank_that_is_killed_ends_the_others_with_nothing_recorded(tmp_path, monkeypatch):
    monkeypatch.setenv("SHARED_FAULT", "killed 1")
    with pytest.raises(ProcessExitedException, match="process 1 terminated with signal SIGKILL"):
        as_torchrun(2, tmp_path, with_a_killed_rank, tmp_path)
    store = Store.of("shared")
    assert not store.records()


@pytest.mark.slow
def test_slots_are_taken_together_and_given_back(tmp_path):
    plan, store = plan_of(tmp_path), Store.of("shared")
    outcome = evaluate(plan, store, device="cpu", gpus="0,1,2", say=str)
    assert len(outcome.ran) == 4 and not outcome.failed
    assert of_each_backbone(store, lambda record: record.metrics["auroc"]) == {"0": [2, 2], "1": [1, 1]}
    bound = of_each_backbone(store, lambda record: len(record.provenance["binding"][VISIBLE].split(",")))
    assert bound == {"0": [2, 2], "1": [1, 1]}
    alone = evaluate(plan_of(tmp_path, "alone", gpus=1), Store.of("alone"), device="cpu", say=str)
    assert set(alone.records) == set(outcome.records), "gpus are in no key"
    few = evaluate(plan_of(tmp_path, "few", gpus=8), Store.of("few"), device="cpu", gpus="0,1", say=str)
    assert len(few.ran) == 4, "a run takes all there are, where it wants more"


@pytest.mark.slow
def test_a_slot_that_is_killed_ends_the_run_with_one_message_and_no_record(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("SHARED_FAULT", "killed 1")
    plan, store = plan_of(tmp_path), Store.of("shared")
    with pytest.raises(BenchError, match="process 1 of 2 .GPU .. was killed; nothing of the run is recorded"):
        evaluate(plan, store, device="cpu", gpus="0,1", say=str)
    assert of_each_backbone(store, lambda record: record.status) == {"0": [], "1": ["done", "done"]}
    assert not any((store.root / "claims").iterdir())
    assert "Traceback" not in capfd.readouterr().err
    monkeypatch.setenv("SHARED_FAULT", "broken 1")
    outcome = evaluate(plan, store, device="cpu", gpus="0,1", say=str)
    assert len(outcome.failed) == 2
    assert all("this image is broken" in outcome.records[key].error for key in outcome.failed)
