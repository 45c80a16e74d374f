"""PRIOR's three stages: which losses each has, what is kept of them, and resuming inside any of them."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.native import load_method, read_info
from prior_bench.errors import BenchError
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.schedule import Schedule, Stage
from prior_bench.pretraining.trainer import pretrain

STEPS = 2
"""Per epoch: twenty pairs in batches of eight, the last incomplete one dropped."""
STARTS = (0, 2, 4)
"""First epoch of each stage."""


class Killed(BaseException):
    pass


@HOOKS.register_module()
class KillPriorAt(Hook):
    """Stops a run dead at a step."""

    step: int | None = None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == KillPriorAt.step:
            raise Killed


@HOOKS.register_module()
class WatchMoments(Hook):
    """Notes of each epoch whether the optimiser remembers anything when it begins."""

    found: list[bool] = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            WatchMoments.found.append(bool(runner.optim_wrapper.optimizer.state))


@pytest.fixture
def staged(values):
    """Two epochs of each stage, prototypes from sentences, a falling temperature."""
    values["method"] |= dict(
        type="prior", prototypes=6, queries=4, decoder_layers=1, decoder_heads=2, temperature=0.1
    )
    values["method"]["image_encoder"]["pool"] = "attention"
    values["method"]["embed_dim"] = 32
    values["schedule"] = dict(stages=[dict(epochs=2), dict(epochs=2, warmup_epochs=1), dict(epochs=2)])
    schedule = "prior_bench.prior.schedule"
    values["hooks"] = [
        dict(type=f"{schedule}.PrototypesFromSentences"),
        dict(type=f"{schedule}.PrototypeTemperature", schedule="exp"),
        dict(type="KillPriorAt"),
    ]
    return from_dict(values)


@pytest.fixture
def undisturbed(staged, tmp_path):
    return pretrain(staged, tmp_path / "undisturbed", seed=3, device="cpu")


def test_each_stage_has_its_losses_and_leaves_a_checkpoint(undisturbed):
    history = json.loads((undisturbed.parent / "history.json").read_text())
    losses = [{name for name in epoch if name.startswith("loss_")} for epoch in history]
    aligned = {"loss_global", "loss_local_image", "loss_local_text"}
    assert losses[0] == losses[1] == aligned
    assert losses[2] == losses[3] == aligned | {"loss_prototype"}
    rebuilt = {"loss_image", "loss_report", "loss_query", "loss_report_global"}
    assert losses[4] == losses[5] == losses[2] | rebuilt
    assert all(1 <= epoch["prototype_perplexity"] <= 6 for epoch in history[2:])

    # as the first stage ends the rate is that of the second's first step, a hundredth; then it rises to the
    # peak and, where the third begins without a warm-up, starts from the peak again
    rates = [epoch["lr"] / history[2]["lr"] for epoch in history]
    assert rates[1] == pytest.approx(0.01) and rates[3] == pytest.approx(1) and rates[5] == pytest.approx(0)

    kept = [load_method(undisturbed.with_name(f"stage_{stage}.safetensors"))[0] for stage in (1, 2)]
    assert [method.stage for method in kept] == [1, 2]
    final, info = load_method(undisturbed)
    assert final.stage == 3 and len(info.provenance["history"]) == 6
    temperatures = [method.sentence_bank.temperature.item() for method in (*kept, final)]
    assert temperatures == pytest.approx([0.9, 0.9 * 0.1 ** (1 / 3), 0.09])
    assert not torch.equal(kept[0].sentence_bank.embed.weight, kept[1].sentence_bank.embed.weight)
    assert len(read_info(undisturbed.with_name("stage_1.safetensors")).provenance["history"]) == 2


@pytest.mark.slow
def test_killed_in_every_stage_and_resumed_equals_undisturbed(staged, undisturbed, tmp_path, monkeypatch):
    folder = tmp_path / "killed"
    for start in STARTS:  # in the second step of each stage's first epoch, and of its second
        for epoch in (start, start + 1):
            monkeypatch.setattr(KillPriorAt, "step", epoch * STEPS + 1)
            with pytest.raises(Killed):
                pretrain(staged, folder, seed=3, device="cpu")
    monkeypatch.setattr(KillPriorAt, "step", None)
    resumed = pretrain(staged, folder, seed=3, device="cpu")
    one, two = read_tensors(undisturbed), read_tensors(resumed)
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    histories = [read_info(path).provenance["history"] for path in (undisturbed, resumed)]
    assert histories[0] == histories[1]  # the same losses, bit for bit
    assert undisturbed.read_bytes() == resumed.read_bytes()
    for stage in ("stage_1.safetensors", "stage_2.safetensors"):
        assert undisturbed.with_name(stage).read_bytes() == resumed.with_name(stage).read_bytes()


def test_the_optimiser_forgets_where_a_stage_begins_and_only_there(staged, tmp_path, monkeypatch):
    monkeypatch.setattr(WatchMoments, "found", [])
    pretrain(replace(staged, hooks=(*staged.hooks, dict(type="WatchMoments"))), tmp_path, device="cpu")
    assert WatchMoments.found == [False, True, False, True, False, True]


def test_a_method_without_stages_is_refused(config, tmp_path):
    schedule = Schedule(stages=(Stage(epochs=1),))
    with pytest.raises(BenchError, match="'convirt' is not trained in stages"):
        pretrain(replace(config, schedule=schedule), tmp_path / "run", device="cpu")


def test_prototype_hooks_need_a_second_stage(staged, tmp_path):
    short = replace(staged, schedule=replace(staged.schedule, stages=staged.schedule.stages[:1]))
    with pytest.raises(BenchError, match="training has 1 stages, and a hook needs stage 2"):
        pretrain(short, tmp_path / "run", device="cpu")


def test_prototype_hooks_need_prototypes(staged, tmp_path):
    without = replace(staged, method={**staged.method, "prototypes": 0})
    with pytest.raises(BenchError, match="this PRIOR has no prototypes"):
        pretrain(without, tmp_path / "run", device="cpu")


def test_more_prototypes_than_sentences_are_refused(staged, tmp_path):
    many = replace(staged, method={**staged.method, "prototypes": 500})
    with pytest.raises(BenchError, match="too few to start 500 prototypes"):
        pretrain(many, tmp_path / "run", device="cpu")


def test_stages_and_epochs_exclude_each_other(values):
    values["schedule"] = dict(epochs=3, stages=[dict(epochs=1)])
    with pytest.raises(BenchError, match="cannot be combined with keys of a single stage, such as 'epochs'"):
        from_dict(values)
    values["schedule"] = dict(stages=[dict(epochs=1, warmup=1)])
    with pytest.raises(BenchError, match=r"schedule\.stages\[0\]: unknown key 'warmup'"):
        from_dict(values)


def test_stages_and_hooks_are_lists_of_dicts(values):
    values |= dict(schedule=dict(stages=[3]), hooks=dict(type="KillPriorAt"))
    with pytest.raises(BenchError) as raised:
        from_dict(values)
    assert {error.where for error in raised.value.errors} == {"schedule.stages[0]", "hooks"}


@pytest.mark.slow
def test_torchrun_trains_all_three_stages(staged, values, tmp_path):
    """Two processes, of whose parameters a stage leaves some unused; prototypes are theirs in common."""
    values |= dict(hooks=values["hooks"][:2], find_unused_parameters=True)
    path = tmp_path / "staged.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    verb = ["-m", "prior_bench", "pretrain", str(path), "--device", "cpu", "--work-dir", "two"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*launch, *verb], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    method, info = load_method(tmp_path / "two/model.safetensors")
    assert method.stage == 3 and len(info.provenance["history"]) == 6
    assert all(math.isfinite(value) for epoch in info.provenance["history"] for value in epoch.values())
