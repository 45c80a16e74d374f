"""What a job's task does when its command ends: it passes on the status, or queues the job again."""

import os
import pickle
import signal
import sys
import threading
import time

import pytest

from prior_bench.cluster import command
from prior_bench.cluster.command import JobCommand


@pytest.fixture(autouse=True)
def job(slurm, monkeypatch):
    """A running job of Slurm; this process is one of its tasks."""
    for name, value in {"SLURM_JOB_ID": "12", "SLURM_PROCID": "0"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(command, "SETTLED", 0.0)
    monkeypatch.setattr(command, "ENDING", 0.0)
    (slurm.root / "queue" / "12").write_text("RUNNING|n1|None|\n")
    before = signal.getsignal(signal.SIGTERM)
    yield slurm
    signal.signal(signal.SIGTERM, before)


def code(text, requeues=3, **environment):
    """The exit status of a task whose command is some Python."""
    try:
        JobCommand([sys.executable, "-S", "-c", text], os.getcwd(), environment, requeues)()
    except SystemExit as end:
        return end.code
    return 0


def test_the_status_of_the_command_is_that_of_the_task(job):
    assert code("raise SystemExit(3)") == 3
    assert code("pass") == 0
    assert code("import os; raise SystemExit(int(os.environ['X']))", X="5") == 5
    assert code("import os; os.kill(os.getpid(), 9)") == 137
    assert job.lines("scontrol") == []


@pytest.mark.parametrize(
    "text",
    [
        "raise SystemExit(75)",
        "raise SystemExit(143)",
        "import os; os.kill(os.getpid(), 15)",
        "import os, signal; os.kill(os.getpid(), signal.SIGUSR2)",
    ],
)
def test_a_job_whose_end_was_announced_is_queued_again(job, text):
    assert code(text) == 75
    assert job.lines("scontrol") == ["requeue 12"]


def test_a_task_of_an_array_is_queued_again_alone(job, monkeypatch):
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "12")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "4")
    (job.root / "queue" / "12_4").write_text("RUNNING|n1|None|\n")
    code("raise SystemExit(75)")
    assert job.lines("scontrol") == ["requeue 12_4"]


def test_other_tasks_leave_that_to_the_first(job, monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "1")
    assert code("raise SystemExit(75)") == 75
    assert job.lines("scontrol") == []


def test_a_job_that_is_being_cancelled_is_not_queued_again(job):
    job.state("12", "COMPLETING")
    assert code("raise SystemExit(143)") == 143
    assert job.lines("scontrol") == []


def test_a_job_is_queued_again_so_many_times(job, monkeypatch, capsys):
    monkeypatch.setenv("SLURM_RESTART_COUNT", "3")
    assert code("raise SystemExit(75)") == 75
    assert job.lines("scontrol") == []
    assert "not queued again: it was, 3 times (requeues in the cluster file)" in capsys.readouterr().err
    assert JobCommand([], "", {}, 3).checkpoint() is None


def test_sigterm_counts_also_if_the_command_fails_of_it(job):
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    assert code("import time; time.sleep(2); raise SystemExit(1)") == 75
    assert job.lines("scontrol") == ["requeue 12"]


def test_submitits_hook_lets_the_command_save_first(job, tmp_path):
    pytest.importorskip("submitit")
    note, begun = tmp_path / "saved", tmp_path / "begun"
    text = (
        "import pathlib, signal, sys, time\n"
        f"def save(*_): time.sleep(0.3); pathlib.Path({str(note)!r}).touch(); sys.exit(75)\n"
        f"signal.signal(signal.SIGUSR2, save); pathlib.Path({str(begun)!r}).touch(); time.sleep(60)\n"
    )
    task = JobCommand([sys.executable, "-S", "-c", text], os.getcwd(), {"A": "b"}, 3)
    again = []
    before = signal.signal(
        signal.SIGUSR2, lambda *_: again.append(task.checkpoint())
    )  # as submitit's handler

    def announce():
        while not begun.exists():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGUSR2)

    threading.Thread(target=announce).start()
    try:
        with pytest.raises(SystemExit):
            task()
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert note.exists()
    function = pickle.loads(pickle.dumps(again[0].function))
    assert (function.argv, function.environment, function.requeues) == (task.argv, {"A": "b"}, 3)
