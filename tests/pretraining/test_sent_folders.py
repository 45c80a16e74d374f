"""Folders of interrupted runs that somebody else made: their states, histories and links are data."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from test_pretrain import KillAt, Killed

from prior_bench.errors import BenchError
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.folder import noted
from prior_bench.pretraining.trainer import pretrain


@pytest.fixture
def killable(values):
    return from_dict({**values, "hooks": [{"type": "KillAt"}]})


@pytest.fixture(scope="module")
def killed_folder(tmp_path_factory):
    """Where the training of ``sent`` is, once it has run."""
    return tmp_path_factory.mktemp("killed") / "run"


@pytest.fixture
def sent(killable, tmp_path, monkeypatch, killed_folder):
    """The folder of a run that was killed in its second epoch; trained once and copied for each test."""
    if not killed_folder.exists():
        monkeypatch.setattr(KillAt, "step", 3)
        with pytest.raises(Killed):
            pretrain(killable, killed_folder, seed=3, device="cpu")
        monkeypatch.setattr(KillAt, "step", None)
    return Path(shutil.copytree(killed_folder, tmp_path / "sent"))


def changed(folder, change):
    state = torch.load(folder / "epoch_1.pth", weights_only=True)
    change(state)
    torch.save(state, folder / "epoch_1.pth")


def test_a_config_in_a_state_is_not_run(killable, sent, tmp_path):
    canary = tmp_path / "canary"
    text = f"open({str(canary)!r}, 'w')\n"
    changed(sent, lambda state: state["meta"].update(config=text, cfg=text))
    assert pretrain(killable, sent, seed=3, device="cpu").is_file()
    assert not canary.exists()


def test_a_state_removes_no_files_elsewhere(killable, sent, tmp_path):
    victim = tmp_path / "mine.pth"
    victim.write_text("weights")
    (sent / "epoch_").mkdir()
    steps = ["/../../mine", 1, 1]
    changed(sent, lambda state: state["message_hub"]["runtime_info"].update(keep_ckpt_ids=steps))
    with pytest.raises(BenchError, match="epoch_1.pth"):
        pretrain(killable, sent, seed=3, device="cpu")
    assert victim.read_text() == "weights"


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state["state_dict"].clear(),
        lambda state: state.pop("state_dict"),
        lambda state: state["meta"].pop("epoch"),
        lambda state: state["meta"].update(epoch="2"),
        lambda state: state["meta"].update(epoch=-1),
        lambda state: state.pop("message_hub"),
        lambda state: state.pop("optimizer"),
        lambda state: state.update(optimizer={"state": 3}),
        lambda state: state["optimizer"]["state"][0].update(exp_avg=torch.zeros(2, 3)),
        lambda state: state["optimizer"]["state"][0]["exp_avg_sq"].fill_(float("inf")),
        lambda state: state["optimizer"]["state"][0].update(step="2"),
        lambda state: state["optimizer"]["param_groups"][0].update(lr="fast"),
        lambda state: state["optimizer"]["param_groups"][0].pop("eps"),
        lambda state: state.update(param_schedulers=[{}] * 9),
        lambda state: [v.fill_(float("nan")) for v in state["state_dict"].values() if v.is_floating_point()],
    ],
)
def test_a_spoiled_state_is_one_message(killable, sent, change):
    changed(sent, change)
    with pytest.raises(BenchError, match=r"epoch_1\.pth"):
        pretrain(killable, sent, seed=3, device="cpu")


@pytest.mark.parametrize("history", ["[" * 100_000, "{}", "[1]", '[{"epoch": []}]', "[]"])
def test_a_spoiled_history_is_one_message(killable, sent, history):
    (sent / "history.json").write_text(history)
    with pytest.raises(BenchError, match=r"history\.json"):
        pretrain(killable, sent, seed=3, device="cpu")


@pytest.mark.parametrize("note", ["[" * 100_000, "[]", "{", "null"])
def test_a_spoiled_note_is_one_message(killable, sent, note):
    (sent / "run.json").write_text(note)
    with pytest.raises(BenchError, match="holds"):
        pretrain(killable, sent, seed=3, device="cpu")


@pytest.mark.parametrize("name", ["pretrain.log", "epoch_2.pth", "last_checkpoint", "vis_data"])
def test_nothing_is_written_through_a_link(killable, sent, tmp_path, name):
    target = tmp_path / "mine"
    target.write_text("mine")
    (sent / name).unlink(missing_ok=True)
    (sent / name).symlink_to(target)
    with pytest.raises(BenchError, match="symbolic link"):
        pretrain(killable, sent, seed=3, device="cpu")
    assert target.read_text() == "mine"


def test_a_history_is_plain_json(sent):
    assert [epoch["epoch"] for epoch in json.loads((sent / "history.json").read_text())] == [1]


def test_a_note_that_is_a_pipe_or_mostly_holes_says_nothing(tmp_path):
    os.mkfifo(tmp_path / "run.json")
    assert noted(tmp_path) == {}
    (tmp_path / "run.json").unlink()
    with open(tmp_path / "run.json", "wb") as file:
        file.truncate(40 << 20)
    assert noted(tmp_path) == {}
