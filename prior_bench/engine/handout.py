"""Hand out runs to processes, and take note of what they tell, until all are done."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from prior_bench.engine.events import Event
from prior_bench.engine.job_process import Order, Ready
from prior_bench.engine.slots import Slot
from prior_bench.errors import BenchError, ErrorList

if TYPE_CHECKING:
    from prior_bench.engine.claimed_runs import ClaimedRuns
    from prior_bench.engine.run_queue import RunQueue
    from prior_bench.store.store import Stamp
    from prior_bench.suites.plan import PlannedRun


@dataclass
class Job:
    """A process that runs cells.

    Attributes:
        process, slot: the process and its slot.
        run: what it runs now.
        helpers: processes whose slots it uses while it makes weights, or for the whole of a run that takes
            several; they have nothing to do meanwhile.
    """

    process: BaseProcess
    slot: Slot
    run: PlannedRun | None = None
    helpers: list[Connection] = field(default_factory=list)


class Handout:
    """Serves the processes.

    Args:
        jobs: the processes, by this end of their pipes.
        queue: the runs.
        seen, tell, claimed: see :func:`prior_bench.engine.jobs.run_in_processes`.
    """

    def __init__(
        self,
        jobs: Mapping[Connection, Job],
        queue: RunQueue,
        seen: Mapping[str, Stamp],
        tell: Callable[[Event], None],
        claimed: ClaimedRuns,
    ):
        self.jobs, self.queue, self.seen, self.tell, self.claimed = dict(jobs), queue, seen, tell, claimed
        self.idle: list[Connection] = []
        self.errors: list[BenchError] = []
        self.stopped: BenchError | None = None

    def serve(self) -> None:
        """Hand out runs and forward events until every process was told to stop or has died.

        Raises:
            BenchError, StorageError: see :func:`prior_bench.engine.jobs.run_in_processes`.
        """
        while self.jobs:
            if len(self.idle) == len(self.jobs):
                self.claimed.waiting()
            for end in wait(list(self.jobs), timeout=self.claimed.pause()):
                assert isinstance(end, Connection), "nothing else was waited for"
                try:
                    message = end.recv()
                except (EOFError, OSError):
                    self._died(end)
                else:
                    self._take(end, message)
            for run in self.claimed.free():
                self.queue.add([run])
            self._hand_out()
        if self.stopped:
            raise self.stopped
        if self.errors:
            raise self.errors[0] if len(self.errors) == 1 else ErrorList("processes ended:", self.errors)

    def _take(self, end: Connection, message: Event | Ready | BenchError) -> None:
        """Take note of what a process tells."""
        if isinstance(message, BenchError):
            self.stopped = self.stopped or message  # the others end the runs that they are in
            self.queue.stop()
            self.claimed.clear()
            return
        if isinstance(message, Ready):
            if message.done:
                self.queue.made(end)
            if message.error is not None:
                self.errors.append(message.error)
            self.jobs[end].run = None
            self._free_helpers(end)
            self.idle.append(end)
            return
        if message.kind == "loaded":
            self.queue.made(end)
            if (run := self.jobs[end].run) is None or run.gpus == 1:
                self._free_helpers(end)
        if message.kind != "claimed" or self.stopped is None:
            self.tell(message)

    def _hand_out(self) -> None:
        """Give runs to the processes that have none; end those that get no more."""
        for end in list(self.idle):
            wanted = self.queue.wanted()
            if wanted > len(self.jobs):
                self.errors.append(_too_few(self.queue.drop(), wanted))
                wanted = self.queue.wanted()
            if wanted > len(self.idle) or end not in self.idle:
                continue  # the others that it needs are gathered, or it helps one itself
            run = self.queue.next(end, fresh=wanted > 1)
            if run is None and (not self.queue.empty or self.claimed):
                continue  # the weights of the last groups are not made yet, or other processes have runs
            self.idle.remove(end)
            job, helpers = self.jobs[end], self.idle[: wanted - 1]
            del self.idle[: wanted - 1]
            job.run, job.helpers = run, helpers
            names = [self.jobs[one].slot.gpu for one in (end, *helpers)] if helpers else []
            order = run and Order(run, self.seen[run.key], tuple(str(name) for name in names))
            try:
                end.send(order)
            except OSError:  # it died with our message unread
                self._died(end)
            else:
                if run is None:
                    del self.jobs[end]

    def _free_helpers(self, end: Connection) -> None:
        job = self.jobs[end]
        self.idle += [helper for helper in job.helpers if helper in self.jobs]
        job.helpers = []

    def _died(self, end: Connection) -> None:
        """Note that a process has died, and with what."""
        self._free_helpers(end)
        job = self.jobs.pop(end)
        self.errors.append(why_ended(job))
        self.queue.died(end)
        if end in self.idle:
            self.idle.remove(end)


def why_ended(job: Job) -> BenchError:
    """Return the error for a process that has ended by itself, with its run and its slot."""
    job.process.join(timeout=10)
    code = job.process.exitcode or 0
    place = f" ({job.slot})" if job.slot.gpu is not None else ""
    run = f" in {job.run.label}" if job.run else ""
    who = f"process {job.process.pid}{place}"
    if code > 0:
        what = f"{who} failed{run}, its traceback is above; finished runs are recorded"
        return BenchError(what, where=_option(job), fix="fix what it names, then run the same command again")
    how = f" by {_signal(-code)}" if code else ""
    return BenchError(
        f"{who} was killed{how}{run}; finished runs are recorded",
        where=_option(job),
        fix="where memory ran out use fewer; then run the same command again",
    )


def _too_few(run: PlannedRun, wanted: int) -> BenchError:
    what = f"its pre-training takes {wanted} GPUs, and fewer processes are left"
    return BenchError(what, where=run.label, fix="run the same command again")


def _option(job: Job) -> str:
    return "--jobs" if job.slot.gpu is None else "--gpus"


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
