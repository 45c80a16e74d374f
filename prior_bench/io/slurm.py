"""What Slurm says of a job, where a process was started by it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time

JOB = re.compile(r"[0-9]{1,12}")
"""What a job's number may be; it becomes an argument of ``squeue``."""
NOT_RUNNING = ("PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT")
"""States of a queued job that has no process now."""
GONE = "Invalid job id"
"""What ``squeue`` says of a job that ended a while ago."""
BOUND = ("SLURMD_NODENAME", "SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "CUDA_VISIBLE_DEVICES")
"""Variables that tell where a process is, and its GPUs: as the node counts them, and as the process does."""
KEPT = 15.0
"""Seconds for which an answer is used again: the controller serves the whole cluster."""

_answers: dict[str, tuple[float, bool | None]] = {}


def job() -> str:
    """Return the number of the Slurm job of this process; empty outside of one."""
    return os.environ.get("SLURM_JOB_ID", "")


def restarts() -> int:
    """Return how often the job of this process was started again."""
    counted = os.environ.get("SLURM_RESTART_COUNT", "")
    return int(counted) if counted.isdecimal() else 0


def binding() -> dict[str, str | int] | None:
    """Return the node and the GPU that Slurm has given to the job of this process; None outside of one."""
    if not job():
        return None
    told = {name: os.environ[name] for name in BOUND if os.environ.get(name)}
    return {"slurm_job": number(), "restarts": restarts(), **told}


def number() -> str:
    """Return the number of the job of this process as ``scontrol`` takes it; ``12_3`` for one of an array.

    The number of an array's last job is that of the whole array.
    """
    array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
    return f"{array}_{task}" if array and task else job()


def has_ended(number: str) -> bool | None:
    """Return whether a job has no process any more; None if Slurm cannot be asked."""
    if not JOB.fullmatch(number):
        return None
    asked, answer = _answers.get(number, (-KEPT, None))
    if time.monotonic() - asked >= KEPT:
        answer = _ask(number)
        _answers[number] = time.monotonic(), answer
    return answer


def runs(number: str) -> bool:
    """Return whether a job, or a task of an array (``12_3``), runs and is not about to be ended."""
    program = shutil.which("squeue")
    if program is None or not JOB.fullmatch(number.replace("_", "")):
        return False
    command = [program, "--noheader", "--jobs", number, "--format", "%T"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=60)  # nosec B603
    except (OSError, subprocess.SubprocessError):
        return False
    return answer.stdout.split() == ["RUNNING"]


def requeue(number: str) -> None:
    """Queue a job again; it is ended, and starts from its beginning.

    Raises:
        CalledProcessError: Slurm refuses.
    """
    program = shutil.which("scontrol") or "scontrol"
    subprocess.run([program, "requeue", number], check=True, timeout=60)  # nosec B603


def _ask(number: str) -> bool | None:
    program = shutil.which("squeue")
    if program is None:
        return None
    command = [program, "--noheader", "--jobs", number, "--format", "%T"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20)  # nosec B603
    except (OSError, subprocess.SubprocessError):
        return None
    if answer.returncode:
        return True if GONE in answer.stderr else None
    return all(state in NOT_RUNNING for state in answer.stdout.split())
