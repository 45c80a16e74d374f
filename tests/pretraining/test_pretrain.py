import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from prior_bench.api import LoadContext
from prior_bench.backbones.pretrained import Pretrained
from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.native import load_method, read_info
from prior_bench.errors import BenchError
from prior_bench.io.locks import CLAIM
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.trainer import pretrain
from prior_bench.registry import BACKBONES


class Killed(BaseException):
    pass


@HOOKS.register_module()
class KillAt(Hook):
    """Stops a run dead at a step."""

    step: int | None = None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == KillAt.step:
            raise Killed


@pytest.fixture
def killable(config):
    return replace(config, hooks=({"type": "KillAt"},))


@pytest.fixture
def undisturbed(killable, tmp_path):
    return pretrain(killable, tmp_path / "undisturbed", seed=3, device="cpu")


def test_a_run_killed_twice_and_resumed_equals_an_undisturbed_one(
    killable, undisturbed, tmp_path, monkeypatch
):
    folder = tmp_path / "killed"
    for step in (1, 3):  # in the first and in the second of three epochs of two steps each
        monkeypatch.setattr(KillAt, "step", step)
        with pytest.raises(Killed):
            pretrain(killable, folder, seed=3, device="cpu")
    assert [p.name for p in folder.glob("epoch_*.pth")] == ["epoch_1.pth"]
    torch.load(folder / "epoch_1.pth", weights_only=True)  # plain data only
    (folder / "epoch_2.pth").write_bytes(
        (folder / "epoch_1.pth").read_bytes()[:5000]
    )  # cut off while written
    monkeypatch.setattr(KillAt, "step", None)
    resumed = pretrain(killable, folder, seed=3, device="cpu")

    one, two = read_tensors(undisturbed), read_tensors(resumed)
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    assert read_info(undisturbed).provenance == read_info(resumed).provenance
    assert undisturbed.read_bytes() == resumed.read_bytes()
    history = json.loads((folder / "history.json").read_text())
    assert [epoch["epoch"] for epoch in history] == [1, 2, 3]
    assert sorted(p.name for p in folder.iterdir()) == [
        *("history.json", "model.safetensors", "pretrain.log", "run.json")
    ]


def test_the_learning_rate_follows_the_schedule_to_its_end(values, tmp_path):
    values["schedule"] = dict(epochs=4, warmup_epochs=1, warmup_factor=0.1, final_factor=0.2)
    values["optimizer"] = dict(values["optimizer"], lr=1e-3)
    config, steps = from_dict(values), 2
    pretrain(config, tmp_path / "run", device="cpu")
    history = json.loads((tmp_path / "run/history.json").read_text())
    next_step = [min(epoch * steps, 4 * steps - 1) for epoch in (1, 2, 3, 4)]
    expected = [1e-3 * config.schedule.factor(step, steps) for step in next_step]
    assert [epoch["lr"] for epoch in history] == pytest.approx(expected)
    assert history[-1]["lr"] == pytest.approx(2e-4)  # and not that of the fourth of eight steps


def test_the_checkpoint_holds_all_that_is_needed(undisturbed, small_data):
    method, info = load_method(undisturbed)
    assert not method.training
    assert info.input["size"] == 32 and info.method["type"] == "convirt"
    assert info.provenance["seed"] == 3 and info.provenance["data"]["pairs"] == 20
    assert len(info.provenance["history"]) == 3
    assert {"loss", "loss_image_to_text", "loss_text_to_image", "lr"} <= info.provenance["history"][0].keys()
    text = method.text_encoder.tokenizer([("Mild edema.",)])
    assert method.encode_text(text).global_.shape == (1, 8)


def test_another_seed_or_config_does_not_enter_the_folder(killable, undisturbed, capsys):
    folder = undisturbed.parent
    capsys.readouterr()
    assert pretrain(killable, folder, seed=3, device="cpu") == undisturbed
    assert capsys.readouterr().err == ""  # nothing was trained
    with pytest.raises(BenchError, match="a declared version has changed"):
        pretrain(killable, folder, seed=4, device="cpu")
    with pytest.raises(BenchError, match="a declared version has changed"):
        pretrain(replace(killable, batch_size=4), folder, seed=3, device="cpu")


@pytest.mark.slow
def test_the_same_run_started_twice_at_once_is_trained_once(values, tmp_path):
    values["schedule"] = dict(epochs=3)
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    command = [sys.executable, "-m", "prior_bench", "pretrain", str(path), "--device", "cpu"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [*command, "--work-dir", "run"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sum(errors.count("epoch 3/3") for _, errors in told) == 1
    assert all("checkpoint: run/model.safetensors" in out for out, _ in told)
    assert not (tmp_path / "run" / CLAIM).exists()


def test_the_terminal_gets_one_line_per_epoch(config, tmp_path, capfd):
    pretrain(replace(config, log=("tensorboard",)), tmp_path / "run", device="cpu")
    out, err = capfd.readouterr()
    assert out == ""
    lines = [line.partition("  ")[0] for line in err.splitlines()]
    assert lines == [
        "small: 20 pairs of pairs, 3 epochs of 2 updates, 6 in all",
        "small seed 0 no validation: pairs has no 'valid' split",
        *(f"small seed 0 epoch {epoch}/3" for epoch in (1, 2, 3)),
    ]
    assert list((tmp_path / "run/tensorboard").glob("events*"))


def test_training_lowers_the_loss(config, tmp_path):
    longer = replace(
        config, schedule=replace(config.schedule, epochs=12), data=replace(config.data, cache="memory")
    )
    longer = replace(longer, optimizer=replace(longer.optimizer, lr=5e-3))
    history = read_info(pretrain(longer, tmp_path / "run", device="cpu")).provenance["history"]
    assert history[-1]["loss"] < history[0]["loss"] - 0.05


def test_pretrained_row_trains_once_and_knows_its_identity(values, tmp_path, capsys):
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    source = BACKBONES.build(
        dict(
            type="pretrain",
            name="ConVIRT",
            config=str(path),
            overrides={"schedule.epochs": 1, "schedule.warmup_epochs": 0},
        )
    )
    assert isinstance(source, Pretrained) and source.has_text
    source.check()
    context = LoadContext(pretrain_dir=tmp_path / "pretrain")
    backbone = source.load(0, context)
    assert backbone.identity == source.identity(0) != source.identity(1)
    assert backbone.method.image_encoder is backbone.image_encoder and backbone.input.size == 32
    assert "epoch 1/1" in capsys.readouterr().err
    again = BACKBONES.build(
        dict(
            type="pretrain",
            name="again",
            config=str(path),
            overrides={"schedule.epochs": 1, "schedule.warmup_epochs": 0},
        )
    ).load(0, context)
    assert "epoch" not in capsys.readouterr().err
    images = torch.randn(2, 1, 32, 32)
    assert torch.equal(again.image_encoder(images).global_, backbone.image_encoder(images).global_)

    untrained = BACKBONES.build(dict(type="random", name="random", config=str(path)))
    assert untrained.has_text
    random = untrained.load(0, context)
    assert random.method.text_encoder.tokenizer.to_json() == backbone.method.text_encoder.tokenizer.to_json()
    assert not torch.equal(random.image_encoder(images).global_, backbone.image_encoder(images).global_)


@pytest.mark.slow
def test_torchrun_with_two_processes_equals_one(values, tmp_path):
    """Batches are shared: without dropout and BatchNorm, losses and weights are those of one process."""
    values["method"]["image_encoder"] = dict(
        model_name="vit_tiny_patch16_224",
        in_channels=1,
        input=dict(size=32),
        model_args=dict(embed_dim=12, depth=1, num_heads=2),
    )
    values["method"]["text_encoder"]["config"] |= dict(
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
    )
    path = tmp_path / "small.py"
    path.write_text("\n".join(f"{key} = {value!r}" for key, value in values.items() if key != "name"))
    verb = ["-m", "prior_bench", "pretrain", str(path), "--device", "cpu", "--work-dir"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", *verb]
    for command in ([*launch, "two"], [sys.executable, *verb, "one"]):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("checkpoint: ") == 1
    one, two = (read_tensors(Path(tmp_path, name, "model.safetensors")) for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(
            two[name], one[name], rtol=1e-3, atol=1e-4, msg=lambda m, n=name: f"{n}: {m}"
        )
    histories = [json.loads(Path(tmp_path, name, "history.json").read_text()) for name in ("one", "two")]
    for alone, shared in zip(*histories, strict=True):
        assert shared["loss"] == pytest.approx(alone["loss"], rel=1e-4)


def test_what_a_run_that_was_killed_after_saving_left_is_tidied_up_at_the_next_start(config, tmp_path):
    path = pretrain(config, tmp_path / "run", device="cpu")
    names = sorted(file.name for file in path.parent.iterdir())
    for left in ("epoch_3.pth", "last_checkpoint"):
        (path.parent / left).write_text("")
    assert pretrain(config, tmp_path / "run", device="cpu") == path
    assert sorted(file.name for file in path.parent.iterdir()) == names
