"""A training that is stopped anywhere within an epoch goes on at the very batch, bit for bit."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from ranks import ended, long_run, start_ranks, wait_for_a_state

from prior_bench.checkpoints.files import read_tensors
from prior_bench.checkpoints.training_states import PARTS, read_state
from prior_bench.errors import BenchError, Requeued
from prior_bench.pretraining import beginning
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.folder import latest_state, states, step_of
from prior_bench.pretraining.stop_signals import REQUEUE, SAVE, TERMINATE, Requests, end, requested
from prior_bench.pretraining.trainer import pretrain

STEPS = 5
"""Steps of an epoch."""


class Killed(BaseException):
    pass


@HOOKS.register_module()
class StopAt(Hook):
    """Does something once, at a step, before the state of the step is saved."""

    step: int | None = None
    what = None

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == StopAt.step:
            StopAt.what()


def killed():
    raise Killed


@pytest.fixture
def stop_at(monkeypatch):
    def stop(step, what=killed):
        monkeypatch.setattr(StopAt, "step", step)
        monkeypatch.setattr(StopAt, "what", staticmethod(what))

    return stop


@pytest.fixture
def stoppable(values):
    values |= dict(batch_size=4, save_every="0s", hooks=[dict(type="StopAt")])
    return from_dict(values)


def test_killed_within_epochs_it_equals_an_undisturbed_run(stoppable, tmp_path, stop_at, capsys):
    undisturbed = pretrain(stoppable, tmp_path / "undisturbed", seed=3, device="cpu")
    folder = tmp_path / "killed"
    for step in (2, 4, 9, 10, 13):  # the state is that of the step before
        stop_at(step)
        with pytest.raises(Killed):
            pretrain(stoppable, folder, seed=3, device="cpu")
        assert len([path for path in states(folder) if "step" in path.name]) <= 1
    stop_at(None)
    said = capsys.readouterr().err
    assert "continuing after epoch 0, step 1 of 5\n" in said
    resumed = pretrain(stoppable, folder, seed=3, device="cpu")
    said += capsys.readouterr().err
    told = [line for line in said.splitlines() if line.startswith("continuing")]
    assert told == [
        f"continuing after epoch {n}, step {k} of 5" for n, k in ((0, 1), (0, 3), (1, 3), (1, 4), (2, 2))
    ]
    one, two = read_tensors(undisturbed), read_tensors(resumed)
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    assert undisturbed.read_bytes() == resumed.read_bytes()  # with the history of losses
    assert sorted(path.name for path in folder.iterdir()) == [
        *("history.json", "model.safetensors", "pretrain.log", "run.json")
    ]


@pytest.mark.slow
def test_with_processes_that_load_data_too(stoppable, tmp_path, stop_at):
    undisturbed = pretrain(stoppable, tmp_path / "undisturbed", device="cpu")
    stop_at(8)
    with pytest.raises(Killed):
        pretrain(stoppable, tmp_path / "killed", device="cpu", workers=2)
    stop_at(None)
    resumed = pretrain(stoppable, tmp_path / "killed", device="cpu", workers=2)
    assert undisturbed.read_bytes() == resumed.read_bytes()


@pytest.mark.slow
def test_the_first_steps_of_a_stage(watched_prior, tmp_path, stop_at):
    """Hooks that start an epoch reset moments and prototypes; a state within the epoch must survive them."""
    watched_prior |= dict(save_every="0s", batch_size=6)
    watched_prior["hooks"] += [dict(type="StopAt")]
    config = from_dict(watched_prior)
    undisturbed = pretrain(config, tmp_path / "undisturbed", device="cpu")
    steps = 36 // 6
    for step in (2 * steps + 2, 2 * steps + 5, 4 * steps + 3):
        stop_at(step)
        with pytest.raises(Killed):
            pretrain(config, tmp_path / "killed", device="cpu")
    stop_at(None)
    assert undisturbed.read_bytes() == pretrain(config, tmp_path / "killed", device="cpu").read_bytes()


@pytest.mark.slow
def test_the_chosen_epoch_is_that_of_an_undisturbed_run(watched_values, tmp_path, stop_at):
    watched_values |= dict(save_every="0s", hooks=[dict(type="StopAt")])
    watched_values["validation"]["choose"] = "median_rank"
    config = from_dict(watched_values)
    undisturbed = pretrain(config, tmp_path / "undisturbed", device="cpu")
    for step in (3, 6, 7, 11):
        stop_at(step)
        with pytest.raises(Killed):
            pretrain(config, tmp_path / "killed", device="cpu")
    stop_at(None)
    assert undisturbed.read_bytes() == pretrain(config, tmp_path / "killed", device="cpu").read_bytes()


def test_a_signal_to_save_leaves_a_state_and_training_goes_on(stoppable, tmp_path, stop_at, monkeypatch):
    config, seen = replace(stoppable, save_every=None), []
    stop_at(7, lambda: os.kill(os.getpid(), signal.SIGUSR1))
    from prior_bench.pretraining import mid_epoch

    remove = mid_epoch.remove_mid_epoch
    monkeypatch.setattr(
        mid_epoch, "remove_mid_epoch", lambda *a, **k: (seen.extend(states(a[0])), remove(*a, **k))
    )
    pretrain(config, tmp_path / "run", device="cpu")
    assert [path.name for path in seen if "step" in path.name] == ["epoch_1_step_2.pth"] * 2
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_the_signal_of_schedulers_saves_and_ends(stoppable, tmp_path, stop_at, capsys):
    config = replace(stoppable, save_every=None)
    undisturbed = pretrain(config, tmp_path / "undisturbed", device="cpu")
    stop_at(7, lambda: os.kill(os.getpid(), signal.SIGUSR2))
    with pytest.raises(Requeued):
        pretrain(config, tmp_path / "run", device="cpu")
    assert "stopped after step 7 of 15; its state is saved" in capsys.readouterr().err
    assert [path.name for path in states(tmp_path / "run")] == ["epoch_1_step_2.pth", "epoch_1.pth"]
    stop_at(None)
    assert pretrain(config, tmp_path / "run", device="cpu").read_bytes() == undisturbed.read_bytes()


def test_at_the_end_of_an_epoch_its_own_state_is_enough(stoppable, tmp_path, stop_at):
    stop_at(2 * STEPS, lambda: os.kill(os.getpid(), signal.SIGUSR2))
    with pytest.raises(Requeued):
        pretrain(stoppable, tmp_path / "run", device="cpu")
    assert [path.name for path in states(tmp_path / "run")] == ["epoch_2.pth", "epoch_1.pth"]


def test_after_the_last_step_training_is_finished_first(stoppable, tmp_path, stop_at):
    stop_at(3 * STEPS, lambda: os.kill(os.getpid(), signal.SIGUSR2))
    assert pretrain(stoppable, tmp_path / "run", device="cpu").is_file()


def test_by_time_a_state_is_saved_once_it_is_due(stoppable, tmp_path, stop_at):
    stop_at(4)
    with pytest.raises(Killed):
        pretrain(replace(stoppable, save_every="1h"), tmp_path / "run", device="cpu")
    assert states(tmp_path / "run") == []


def test_a_state_of_another_computation_is_left_aside(stoppable, tmp_path, stop_at, monkeypatch, capsys):
    """Random states are those of one process each; the state of an epoch serves any number."""
    stop_at(8)
    with pytest.raises(Killed):
        pretrain(stoppable, tmp_path / "run", device="cpu")
    stop_at(None)
    note = tmp_path / "run/run.json"
    told = json.loads(note.read_text())
    assert told["computed"] == [dict(processes=1, device="cpu", precision="float32")]
    told["computed"][0]["processes"] = 2
    note.write_text(json.dumps(told))
    capsys.readouterr()
    path = pretrain(stoppable, tmp_path / "run", device="cpu")
    assert "continuing after epoch 1\n" in capsys.readouterr().err
    assert [one["processes"] for one in json.loads(note.read_text())["computed"]] == [2, 1]
    from prior_bench.checkpoints.native import read_info

    assert [one["processes"] for one in read_info(path).provenance["computed"]] == [2, 1]


def test_a_state_of_another_computation_is_gone_before_the_note_is_written(stoppable, tmp_path, stop_at):
    """Otherwise it would pass for one of this computation after the next kill."""
    stop_at(8)
    for _ in range(2):
        with pytest.raises(Killed):
            pretrain(stoppable, tmp_path / "run", device="cpu")
        note = tmp_path / "run/run.json"
        told = json.loads(note.read_text())
        told["computed"][-1]["device"] = "cuda"
        note.write_text(json.dumps(told))
        stop_at(6)  # before the first state
    assert [path.name for path in states(tmp_path / "run")] == ["epoch_1.pth"]


def test_a_folder_from_before_it_was_noted(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    assert beginning._computed(tmp_path) == [beginning.NOT_NOTED]
    (tmp_path / "run.json").write_text(json.dumps({"computed": [{"processes": 2, "more": {"a": 1}}, 7]}))
    assert beginning._computed(tmp_path) == [{"processes": 2}, beginning.NOT_NOTED]


@pytest.fixture(scope="module")
def killed_folder(tmp_path_factory):
    """Where the training of ``state`` is, once it has run."""
    return tmp_path_factory.mktemp("killed") / "run"


@pytest.fixture
def state(stoppable, tmp_path, stop_at, killed_folder):
    """A folder whose training was killed in the second epoch; it is trained once and copied for each test."""
    if not killed_folder.exists():
        stop_at(8)
        with pytest.raises(Killed):
            pretrain(stoppable, killed_folder, device="cpu")
        stop_at(None)
    shutil.copytree(killed_folder, tmp_path / "run")
    return latest_state(tmp_path / "run")


DAMAGE = {
    "no processes": lambda s: s.pop(PARTS),
    "too many": lambda s: s[PARTS].append(s[PARTS][0]),
    "a key is missing": lambda s: s[PARTS][0].pop("sums"),
    "python": lambda s: s[PARTS][0]["python"].__setitem__(1, torch.zeros(3, dtype=torch.int64)),
    "python's position": lambda s: s[PARTS][0]["python"][1].__setitem__(-1, 10**6),
    "numpy": lambda s: s[PARTS][0]["numpy"].__setitem__(0, "PCG64"),
    "negative words": lambda s: s[PARTS][0]["numpy"][1].__setitem__(0, -1),
    "torch": lambda s: s[PARTS][0].update(torch=torch.zeros(7, dtype=torch.uint8)),
    "buffers": lambda s: s[PARTS][0]["buffers"].popitem(),
    "a buffer's shape": lambda s: s[PARTS][0]["buffers"].update(
        {k: torch.zeros(99) for k in s[PARTS][0]["buffers"]}
    ),
    "sums": lambda s: s[PARTS][0]["sums"].update(loss=torch.zeros(2)),
    "seconds": lambda s: s[PARTS][0].update(seconds=float("nan")),
    "another step": lambda s: s["meta"].update(iter=3),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_a_state_that_somebody_changed_is_refused(state, stoppable, what):
    content = torch.load(state, weights_only=True)
    DAMAGE[what](content)
    torch.save(content, state)
    with pytest.raises(BenchError, match="is no state that training can be resumed from"):
        pretrain(stoppable, state.parent, device="cpu")


def test_a_state_is_plain_data(state):
    assert state.name == "epoch_1_step_2.pth"
    torch.load(state, weights_only=True)
    content = read_state(state)
    assert content["meta"] == {"epoch": 1, "iter": 7} and len(content[PARTS]) == 1


def test_a_second_request_to_terminate_ends_at_once(monkeypatch):
    class Over(BaseException):
        pass

    def over(number, frame):
        raise Over

    requests, before = Requests(), signal.signal(signal.SIGTERM, over)
    try:
        with requested(requests):
            signal.raise_signal(signal.SIGUSR1)
            assert requests.wish == SAVE
            signal.raise_signal(signal.SIGUSR2)
            assert requests.wish == REQUEUE
            signal.raise_signal(signal.SIGTERM)
            assert requests.wish == TERMINATE
            signal.raise_signal(signal.SIGUSR1)
            assert requests.wish == TERMINATE  # a weaker wish does not replace it
            with pytest.raises(Over):
                signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is over
        with pytest.raises(Over):
            end(TERMINATE)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_handlers_of_the_caller_are_left_alone():
    mine = signal.signal(signal.SIGUSR1, lambda number, frame: None)
    own = signal.getsignal(signal.SIGUSR1)
    try:
        with requested(Requests()):
            assert signal.getsignal(signal.SIGUSR1) is own
    finally:
        signal.signal(signal.SIGUSR1, mine)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGUSR2, 75), (signal.SIGTERM, 143)])
def test_a_signal_to_one_of_two_processes_ends_both(values, tmp_path, number, status):
    config = long_run(values, tmp_path)
    command = ["pretrain", config, "--device", "cpu", "--work-dir", "run"]
    processes = start_ranks([command] * 2, tmp_path)
    wait_for_a_state(tmp_path)
    processes[1].send_signal(number)
    first, second = ended(processes)
    assert (first.code, second.code) == (status, status), first.err + second.err
    assert "its state is saved" in first.err and "run the same command again to continue" in first.err
    assert "Traceback" not in first.err + second.err
    latest = latest_state(tmp_path / "run")
    if step_of(latest):
        assert len(read_state(latest)[PARTS]) == 2


@pytest.mark.slow
def test_torchrun_passes_sigterm_on(values, tmp_path):
    config = long_run(values, tmp_path)
    command = ["-m", "prior_bench", "pretrain", config, "--device", "cpu", "--work-dir", "run"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    process = subprocess.Popen(
        [*launch, *command],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for_a_state(tmp_path)
    process.send_signal(signal.SIGTERM)
    (only,) = ended([process])
    assert only.code != 0 and "its state is saved" in only.err and "epoch 1000/1000" not in only.err


@pytest.mark.slow
def test_a_signal_to_the_whole_job_spares_the_processes_that_load_data(values, tmp_path):
    config = long_run(values, tmp_path)
    command = ["-m", "prior_bench", "pretrain", config, "--device", "cpu", "--workers", "2"]
    process = subprocess.Popen(
        [sys.executable, *command, "--work-dir", "run"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for_a_state(tmp_path)
    os.killpg(process.pid, signal.SIGTERM)
    (only,) = ended([process])
    assert only.code == 143 and "its state is saved" in only.err and "Traceback" not in only.err
    with pytest.raises(ProcessLookupError):  # none of them stays
        os.killpg(process.pid, 0)
