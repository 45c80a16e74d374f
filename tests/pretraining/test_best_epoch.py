"""The choice of an epoch: which one, whose weights, and the same after a kill."""

import json
from dataclasses import replace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from prior_bench.backbones.checkpoint import CheckpointFile
from prior_bench.backbones.describe import as_text, describe
from prior_bench.backbones.native import native_backbone
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.native import read_info
from prior_bench.errors import BenchError
from prior_bench.pretraining.best_epoch import (
    DESCRIBED,
    ChosenEpoch,
    best_epoch,
    best_file,
    forget_others,
    require_best,
)
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.trainer import pretrain
from prior_bench.pretraining.validation import Measurement

EPOCHS, STEPS = 5, 4
RECALLS = (0.1, 0.3, 0.5, 0.2, 0.4)


class Killed(BaseException):
    pass


@HOOKS.register_module()
class KillChoosingAt(Hook):
    """Notes the weights of each epoch, and stops a run dead at a step."""

    step: int | None = None
    epoch = 0
    weights: dict[int, dict[str, torch.Tensor]] = {}

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == KillChoosingAt.step:
            raise Killed

    def before_train_epoch(self, runner):
        KillChoosingAt.epoch = runner.epoch

    def after_train_epoch(self, runner):
        state = runner.model.method.state_dict()
        KillChoosingAt.weights[runner.epoch + 1] = {name: tensor.clone() for name, tensor in state.items()}


@pytest.fixture
def planted(monkeypatch):
    """Recall is a function of the epoch alone, best in the third."""

    def measured(self):
        return {"valid/recall_at_5": RECALLS[KillChoosingAt.epoch], "valid/pairs": 12.0}

    monkeypatch.setattr(Measurement, "__call__", measured)
    monkeypatch.setattr(KillChoosingAt, "weights", {})
    monkeypatch.setattr(KillChoosingAt, "step", None)


@pytest.fixture
def choosing(watched_values):
    watched_values["schedule"] = dict(epochs=EPOCHS)
    watched_values["hooks"] = [dict(type="KillChoosingAt")]
    watched_values["validation"] = dict(interval=1, choose="recall_at_5")
    return from_dict(watched_values)


@pytest.mark.slow
def test_the_weights_are_those_of_the_best_epoch_and_the_same_after_kills(
    planted, choosing, tmp_path, monkeypatch
):
    undisturbed = pretrain(choosing, tmp_path / "undisturbed", seed=2, device="cpu")
    history = json.loads((undisturbed.parent / "history.json").read_text())
    recalls = [epoch["valid/recall_at_5"] for epoch in history]
    best = 1 + recalls.index(max(recalls))
    assert 1 < best < EPOCHS, "or the test shows nothing"
    found = read_tensors(undisturbed)
    assert all(torch.equal(found[name], KillChoosingAt.weights[best][name]) for name in found)
    assert any(not torch.equal(found[name], KillChoosingAt.weights[EPOCHS][name]) for name in found)
    info = read_info(undisturbed)
    text = f"epoch {best} of {EPOCHS}, chosen by validation Recall@5 {max(recalls):.3f}"
    assert info.provenance["chosen"] == text and info.provenance["seen_splits"] == ["train", "valid"]
    assert f"note      chosen: {text}" in as_text(describe(undisturbed))
    assert native_backbone("row", undisturbed, "identity").provenance["chosen"] == text
    assert CheckpointFile("row", str(undisturbed)).training_data()[0]["splits"] == ["train", "valid"]
    assert sorted(path.name for path in undisturbed.parent.iterdir()) == [
        *("history.json", "model.safetensors", "pretrain.log", "run.json")
    ]

    folder = tmp_path / "killed"
    for epoch in range(EPOCHS):  # in every epoch, before its end
        monkeypatch.setattr(KillChoosingAt, "step", epoch * STEPS + 1)
        with pytest.raises(Killed):
            pretrain(choosing, folder, seed=2, device="cpu")
    kept = sorted(path.name for path in folder.glob("best_*"))
    assert kept == [f"best_{best}.safetensors"]
    monkeypatch.setattr(KillChoosingAt, "step", None)
    resumed = pretrain(choosing, folder, seed=2, device="cpu")
    assert resumed.read_bytes() == undisturbed.read_bytes()


def test_a_run_whose_last_state_is_cut_off_still_has_the_weights_it_needs(
    planted, choosing, tmp_path, monkeypatch
):
    """It goes on from the state before, which may have had another best epoch."""
    undisturbed = pretrain(choosing, tmp_path / "undisturbed", seed=2, device="cpu")
    folder, torn = tmp_path / "torn", 3
    monkeypatch.setattr(KillChoosingAt, "step", torn * STEPS + 1)
    with pytest.raises(Killed):
        pretrain(choosing, folder, seed=2, device="cpu")
    state = folder / f"epoch_{torn}.pth"
    state.write_bytes(state.read_bytes()[:5000])
    for file in folder.glob(f"best_{torn}.safetensors"):
        file.unlink()  # what belongs to the torn state is made again
    monkeypatch.setattr(KillChoosingAt, "step", None)
    resumed = pretrain(choosing, folder, seed=2, device="cpu")
    assert resumed.read_bytes() == undisturbed.read_bytes()


def test_best_weights_that_somebody_removed_are_missed(tmp_path):
    with pytest.raises(BenchError, match=r"best_3\.safetensors: the weights of the best epoch are gone"):
        require_best(tmp_path, ChosenEpoch(3, 0.5))


def test_an_undefined_metric_cannot_choose(planted, choosing, tmp_path):
    config = replace(choosing, validation=replace(choosing.validation, choose="auroc", prompts="sample"))
    with pytest.raises(BenchError, match="auroc is undefined on the held-out patients"):
        pretrain(config, tmp_path, device="cpu")


def values(*recalls, first=1):
    return [
        {"epoch": first + i, **({} if recall is None else {"valid/recall_at_5": recall})}
        for i, recall in enumerate(recalls)
    ]


def test_the_best_is_the_first_of_equals_among_validated_epochs(choosing):
    assert best_epoch(values(0.1, 0.3, None, 0.3, 0.2), choosing) == (2, 0.3)
    assert best_epoch(values(None), choosing) is None
    assert best_epoch(values(0.5), replace(choosing, validation=None)) is None
    ranks = replace(choosing, validation=replace(choosing.validation, choose="median_rank"))
    history = [{"epoch": n, "valid/median_rank": rank} for n, rank in ((1, 7.0), (2, 3.5), (3, 4.0))]
    assert best_epoch(history, ranks) == (2, 3.5), "lower is better"
    assert all(metric.direction for metric in DESCRIBED.values())


def test_only_epochs_of_the_last_stage_are_chosen(watched_prior):
    config = from_dict({**watched_prior, "validation": dict(choose="recall_at_5")})
    assert best_epoch(values(0.9, 0.9, 0.8, 0.8), config) is None
    assert best_epoch(values(0.9, 0.9, 0.8, 0.8, 0.1, 0.2), config) == (6, 0.2)


def test_what_a_continuation_may_choose_is_kept(choosing, tmp_path):
    history = values(0.3, 0.2, 0.5, 0.4)
    for epoch in (1, 3):
        best_file(tmp_path, best_epoch(history[:epoch], choosing)).write_bytes(b"")
    for state in (2, 3):  # from 2 on, epoch 1 would be the best again
        (tmp_path / f"epoch_{state}.pth").write_bytes(b"")
    forget_others(tmp_path, history, choosing)
    assert sorted(path.name for path in tmp_path.glob("best*")) == [
        "best_1.safetensors",
        "best_3.safetensors",
    ]
    (tmp_path / "epoch_2.pth").unlink()
    forget_others(tmp_path, history, choosing)
    assert [path.name for path in tmp_path.glob("best*")] == ["best_3.safetensors"]
