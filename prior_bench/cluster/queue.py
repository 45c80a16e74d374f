"""What Slurm's queue holds of this user, and how jobs are taken out of it. It needs no accounting."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from prior_bench.errors import BenchError

ACTIVE = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT")
"""States of a job that has nodes; all others that the queue shows wait for them."""
OVER = ("COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "BOOT_FAIL", "DEADLINE", "OUT_OF_MEMORY")
"""States of a job that will not run again; the queue shows some for a while."""
FIELDS = "%i|%T|%N|%r|%k"
PREFIX = re.compile(r"^[a-z]+: (?:(?:error|fatal): )?")
"""What a program of Slurm puts before a message."""
MOST = 500
"""Numbers of jobs in one call of ``scancel``."""


@dataclass(frozen=True)
class QueuedJob:
    """A job in the queue.

    Attributes:
        number: of the job, or of the task of an array (``12_3``).
        state: as Slurm names it.
        nodes: where it runs; empty if it waits.
        reason: why it waits.
        comment: that it was submitted with.
    """

    number: str
    state: str
    nodes: str = ""
    reason: str = ""
    comment: str = ""

    @property
    def runs(self) -> bool:
        """Whether it has nodes."""
        return self.state in ACTIVE


def require(program: str, instead: str) -> str:
    """Return the path of one of Slurm's programs.

    Raises:
        BenchError: there is none; ``instead`` is the remedy.
    """
    found = shutil.which(program)
    if found is None:
        raise BenchError(f"no {program} on this machine", where="Slurm", fix=instead)
    return found


def queue() -> dict[str, QueuedJob]:
    """Return the jobs of this user that wait or run, by number.

    Raises:
        BenchError: Slurm cannot be asked.
    """
    program = require("squeue", "run it where jobs are submitted; prior-bench run SUITE needs no Slurm")
    command = [program, "--noheader", "--array", f"--user={os.getuid()}", f"--format={FIELDS}"]
    found = {}
    for line in _output(command, "is the controller up? scontrol ping").splitlines():
        parts = line.strip().split("|", 4)
        if len(parts) == 5 and parts[1] not in OVER:
            job = QueuedJob(*(part.strip() for part in parts))
            found[job.number] = job
    return found


def cancel(numbers: Sequence[str]) -> None:
    """Cancel jobs; those that have ended meanwhile do no harm.

    Raises:
        BenchError: Slurm refuses.
    """
    program = require("scancel", "run it where jobs are submitted")
    for first in range(0, len(numbers), MOST):
        _output([program, "--quiet", *numbers[first : first + MOST]], "scontrol show job NUMBER says more")


def _output(command: list[str], fix: str) -> str:
    name = os.path.basename(command[0])
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=120)  # nosec B603
    except (OSError, subprocess.SubprocessError) as error:
        raise BenchError(f"gives no answer: {error}", where=name, fix=fix) from error
    if answer.returncode:
        raise BenchError(said(answer.stderr) or f"status {answer.returncode}", where=name, fix=fix)
    return answer.stdout


def said(text: str) -> str:
    """Return what one of Slurm's programs says on stderr, as one line without its name."""
    lines = [PREFIX.sub("", line).strip() for line in text.splitlines()]
    return "; ".join(dict.fromkeys(line for line in lines if line))
