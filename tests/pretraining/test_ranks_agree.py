"""Processes that are about to train something else than the others stop, all of them, and save nothing."""

import pytest
import torch
from ranks import ended, start_ranks
from torch import nn

from prior_bench.errors import BenchError, ErrorList
from prior_bench.pretraining import agreement
from prior_bench.pretraining.agreement import require_one_folder, require_replicas, require_same
from prior_bench.pretraining.processes import Processes

OWN_METHOD = """
from baselines.convirt import ConVIRT

class Mine(ConVIRT):
    version = 1
    factor = {factor}
"""


@pytest.fixture
def small(values, tmp_path):
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    return path


def the_command(config, folder="run", *more):
    return ["pretrain", str(config), "--device", "cpu", "--work-dir", str(folder), *more]


def stopped(tmp_path, commands, own=None):
    """Start two processes that differ; check that both stop, and return what the first one says."""
    first, second = ended(start_ranks(commands, tmp_path, own))
    assert (first.code, second.code) == (1, 1), first.err + second.err
    assert first.err.count("error: ") == second.err.count("error: ") == 1
    assert "Traceback" not in first.err + second.err
    assert first.seconds < 120  # most of it to import torch
    saved = [path for path in tmp_path.rglob("*") if path.suffix in (".safetensors", ".pth")]
    assert saved == [] and not list(tmp_path.rglob("run.json")) and not list(tmp_path.rglob(".shared*"))
    return first.err


@pytest.mark.slow
def test_different_folders(small, tmp_path):
    err = stopped(tmp_path, [the_command(small, "one"), the_command(small, "two")])
    assert "two: process 1 of 2: is not the folder in which the first process trains" in err
    assert "fix: give all processes one folder" in err


@pytest.mark.slow
def test_different_configs(small, tmp_path):
    other = ("--set", "optimizer.lr=0.5", "--seed", "1")
    err = stopped(tmp_path, [the_command(small), the_command(small, "run", *other)])
    assert "config.optimizer.lr: 0.001 in process 0 " in err and ", 0.5 in process 1 " in err
    assert "seed: 0 in process 0 " in err


@pytest.mark.slow
def test_different_data(small, small_data, tmp_path):
    (tmp_path / "images").symlink_to(small_data.parent)
    lines = small_data.read_text().splitlines(keepends=True)
    for name, kept in (("one", lines), ("two", lines[:-1])):
        folder = tmp_path / name
        folder.mkdir()
        for image in small_data.parent.glob("*.png"):
            (folder / image.name).hardlink_to(image)
        (folder / "pairs.csv").write_text("".join(kept))
    tables = [str(tmp_path / name / "pairs.csv") for name in ("one", "two")]
    err = stopped(tmp_path, [the_command(small, "run", "--data", table) for table in tables])
    assert "data.fingerprint: " in err and "config.data.dataset" not in err


@pytest.mark.slow
def test_different_code(values, tmp_path):
    values["method"]["type"] = "mine:Mine"
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    own = []
    for factor in (1, 2):
        folder = tmp_path / f"code{factor}"
        folder.mkdir()
        (folder / "mine.py").write_text(OWN_METHOD.format(factor=factor))
        own.append({"PYTHONPATH": str(folder)})
    err = stopped(tmp_path, [the_command(path)] * 2, own)
    assert err.count("\n- ") == 1 and "- code: " in err


@pytest.mark.slow
def test_one_without_the_data(small, tmp_path):
    err = stopped(tmp_path, [the_command(small), the_command(small, "run", "--data", "not_there.csv")])
    assert "process 1 of 2: " in err and "not_there.csv" in err


@pytest.mark.slow
def test_one_that_does_not_resume_stops_the_others(small, tmp_path):
    """What ended in diverged replicas: one process goes on, the other one starts anew."""
    one, two = the_command(small, "run"), the_command(small, "run", "--no-resume")
    assert "resume: True in process 0 " in stopped(tmp_path, [one, two])


class Told(Processes):
    """Two processes, of which the other one says something given."""

    def __init__(self, other):
        super().__init__(rank=0, count=2)
        self.other = other

    def gather(self, value, *, training=False):
        return [value, self.other]


def test_every_difference_is_named_and_long_lists_are_cut():
    facts = {"config": {"a": 1, "b": {"c": 2}}, "seed": 0}
    require_same(Told(("there", {"config": {"a": 1, "b": {"c": 2}}, "seed": 0})), facts)
    with pytest.raises(ErrorList, match="differ; nothing was trained") as error:
        require_same(Told(("there", {"config": {"a": 1, "b": {"c": 3}}, "seed": 0})), facts)
    (only,) = error.value.errors
    assert (
        only.where == "config.b.c" and "2 in process 0" in only.what and "3 in process 1 (there)" in only.what
    )
    with pytest.raises(ErrorList, match="and 12 more"):
        require_same(Told(("there", {})), {str(number): number for number in range(20)})


def test_replicas_are_compared_by_weights_and_moments(monkeypatch):
    told = []
    monkeypatch.setattr(Told, "gather", lambda self, value, training=False: [told.append(value) or value] * 2)
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters())
    processes = Told(None)
    require_replicas(processes, model, optimizer)
    model[1].running_mean += 1  # of this process alone
    require_replicas(processes, model, optimizer)
    assert told[0] == told[1]
    with torch.no_grad():
        model[0].weight[0, 0] += 1e-6
    require_replicas(processes, model, optimizer)
    model(torch.randn(4, 2)).sum().backward()
    optimizer.state[model[0].weight]["exp_avg"] = torch.ones(2, 2)
    require_replicas(processes, model, optimizer)
    assert len(set(told)) == 3
    monkeypatch.setattr(Told, "gather", lambda self, value, training=False: [value, "another"])
    with pytest.raises(BenchError, match=r"of process 1 are not those of process 0 \(before step 1\)"):
        require_replicas(processes, model, optimizer, "before step 1")


def test_a_folder_of_which_the_first_process_has_another_state(tmp_path, monkeypatch):
    monkeypatch.setattr(agreement, "VISIBLE_AFTER", 0.0)
    monkeypatch.setattr(Told, "together", lambda self, what, do, limit=None: [do()])
    (tmp_path / "epoch_1.pth").write_bytes(b"12345")
    require_one_folder(Told(None), tmp_path, ("epoch_1.pth", 5))
    for state in (("epoch_1.pth", 4), ("epoch_2.pth", 5)):
        with pytest.raises(BenchError, match="is not the state that the first process has"):
            require_one_folder(Told(None), tmp_path, state)
    assert [path.name for path in tmp_path.iterdir()] == ["epoch_1.pth"]
