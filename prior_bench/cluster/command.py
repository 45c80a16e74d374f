"""What submitit runs in each task of a job: a ``prior-bench`` command that is told of the job's end.

Slurm announces a time limit and a pre-emption by SIGUSR2 or SIGTERM to all processes of a step. The command
then saves what it can and ends; the job is queued again and goes on from there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from prior_bench.io import slurm

if TYPE_CHECKING:
    from submitit.core.utils import DelayedSubmission

SAVED = 75
"""Exit status of a command that has saved its state and shall be started again (EX_TEMPFAIL)."""
ANNOUNCED = (SAVED, 128 + signal.SIGTERM, -signal.SIGTERM, -signal.SIGUSR2)
"""Statuses of a command that the announced end of its job has ended."""
POLL = 0.2
"""Seconds between two looks whether the command has ended."""
SETTLED = 3.0
"""Seconds until a signal that has ended the command has also come here, and Slurm's state is up to date."""
ENDING = 900
"""Seconds after which Slurm has ended a task of a job that it ends."""


class JobCommand:
    """A command line, run in a job's task.

    Args:
        argv: the command and its arguments.
        folder: where it runs.
        environment: variables to set for it.
        requeues: how often the job is queued again.
    """

    def __init__(self, argv: list[str], folder: str, environment: dict[str, str], requeues: int):
        self.argv, self.folder, self.environment, self.requeues = argv, folder, environment, requeues
        self._process: subprocess.Popen | None = None
        self._status: int | None = None
        self._told = False

    def __call__(self) -> None:
        """Run the command; exit with its status if it is not 0, so that Slurm sees it."""
        environment = {**os.environ, **self.environment}
        signal.signal(signal.SIGTERM, self._note)  # submitit does nothing on it
        self._process = subprocess.Popen(self.argv, cwd=self.folder, env=environment)  # nosec B603
        # not process.wait(): submitit's handler of SIGUSR2 interrupts it, and would wait for its lock
        threading.Thread(target=self._take_status, args=(self._process,), daemon=True).start()
        status = self._ended()
        if status and (status in ANNOUNCED or self._told):
            time.sleep(SETTLED)
            if slurm.runs(slurm.number()):
                self._start_again(status)
        if status:
            sys.exit(status if status > 0 else 128 - status)

    def _take_status(self, process: subprocess.Popen) -> None:
        self._status = process.wait()

    def _ended(self) -> int:
        """Wait for the command's end; return its status."""
        while self._status is None:
            time.sleep(POLL)
        return self._status

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._told = True

    def checkpoint(self) -> DelayedSubmission | None:
        """Let the command save and end; called by submitit on SIGUSR2, in the job's first task.

        Returns:
            What runs when the job is started again; None if it is not.
        """
        if self._process is not None:
            self._process.send_signal(signal.SIGUSR2)  # as a rule, Slurm has sent it already
            self._ended()
        if not self._may_start_again():
            return None
        from submitit.core.utils import DelayedSubmission

        return DelayedSubmission(JobCommand(self.argv, self.folder, self.environment, self.requeues))

    def _may_start_again(self) -> bool:
        if (count := slurm.restarts()) >= self.requeues:
            print(f"not queued again: it was, {count} times (requeues in the cluster file)", file=sys.stderr)
            return False
        return True

    def _start_again(self, status: int) -> NoReturn:
        """Queue the job again in its first task; in all tasks, wait for Slurm to end them."""
        if os.environ.get("SLURM_PROCID", "0") == "0":
            if not self._may_start_again():
                sys.exit(status if status > 0 else 128 - status)
            print(f"job {slurm.number()} is queued again", file=sys.stderr, flush=True)
            slurm.requeue(slurm.number())
        time.sleep(ENDING)
        sys.exit(SAVED)
