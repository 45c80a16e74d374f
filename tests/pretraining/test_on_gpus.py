"""Pre-training in one process per GPU; on a machine without any, the processes compute on the CPU."""

import os
import signal
import subprocess
import sys

import pytest
from ranks import long_run, wait_for_a_state

from prior_bench.errors import BenchError
from prior_bench.pretraining.config import from_dict
from prior_bench.pretraining.on_gpus import pretrain_on
from prior_bench.public.pretraining import pretrain


@pytest.mark.slow
def test_each_gpu_gets_a_process_and_a_failure_is_one_message(values, tmp_path, capfd):
    config = from_dict({**values, "hooks": [{"type": "rank_notes.RankNotes"}]})
    folder = tmp_path / "run"
    path = pretrain_on(["5", "GPU-ab"], config, folder, 0, "cpu")
    assert path == folder / "model.safetensors" and path.is_file()
    notes = {note.name: note.read_text() for note in folder.glob("rank_*")}
    assert notes == dict.fromkeys(["rank_0_of_2.txt", "rank_1_of_2.txt"], "5,GPU-ab")
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    capfd.readouterr()
    with pytest.raises(BenchError, match=r"run: holds run \w+, not \w+: config(.|\n)*fix: choose another"):
        pretrain_on(["0", "1"], config, folder, 1, "cpu")
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_the_signal_of_schedulers_reaches_all_processes_and_the_same_command_goes_on(values, tmp_path):
    command = [sys.executable, "-m", "prior_bench", "pretrain", long_run(values, tmp_path)]
    command += ["--device", "cpu", "--gpus", "0,1", "--work-dir", "run"]
    own = {**os.environ, "OMP_NUM_THREADS": "1"}

    def stopped(known=()):
        started = subprocess.Popen(command, cwd=tmp_path, env=own, stderr=subprocess.PIPE, text=True)
        wait_for_a_state(tmp_path, known)
        started.send_signal(signal.SIGUSR1)
        started.send_signal(signal.SIGUSR2)
        said = started.communicate(timeout=120)[1]
        assert started.returncode == 75, said
        assert "its state is saved" in said and "Traceback" not in said
        return said

    assert "continuing" not in stopped()
    known = [path.name for path in tmp_path.glob("run/epoch_*_step_*.pth")]
    assert "continuing after epoch" in stopped(known)


def test_a_run_without_gpus_stays_in_this_process(config, tmp_path):
    assert pretrain_on([], config, tmp_path / "run", 0, "cpu").is_file()


def test_gpus_are_not_for_processes_that_torchrun_has_started(monkeypatch):
    place = dict(WORLD_SIZE="2", RANK="0", LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT="29500")
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        BenchError, match="--gpus: is for a run that neither torchrun nor srun has started\n  fix: leave it"
    ):
        pretrain("convirt_sample", gpus="0,1")


def test_a_number_of_gpus_is_in_no_identity(config):
    values = config.to_dict()
    assert from_dict({**values, "gpus": 4}).determining() == config.determining()
    assert "gpus" not in config.determining()
