"""Run cells in several processes: one per GPU, or several on a CPU, which one small model does not fill.

On a CPU, each process computes with its share of the cores, or with the threads that the suite states or that
are usual for a small model (:func:`prior_bench.runtime.usual_threads`). On GPUs, each is bound to its own
before CUDA is used. They are spawned, as torch's threads do not survive a fork, and end with this process,
however it ends.

The pools of concurrent.futures and loky are of no use here: a process that dies takes all others with it, is
not named with its run, and tasks cannot wait for weights or take several slots.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from prior_bench.engine.handout import Handout, Job
from prior_bench.engine.job_process import Shared, work
from prior_bench.engine.run_queue import RunQueue
from prior_bench.engine.slots import Slot
from prior_bench.runtime import bound, own_modules

if TYPE_CHECKING:
    from prior_bench.engine.claimed_runs import ClaimedRuns
    from prior_bench.engine.events import Event
    from prior_bench.store.store import Stamp
    from prior_bench.suites.plan import PlannedRun


def run_in_processes(
    shared: Shared,
    slots: list[Slot],
    groups: list[list[PlannedRun]],
    seen: Mapping[str, Stamp],
    wanted: Callable[[PlannedRun], int],
    tell: Callable[[Event], None],
    claimed: ClaimedRuns,
) -> None:
    """Run all groups in one process per slot (:mod:`prior_bench.engine.job_process`).

    Args:
        shared: what all processes get.
        slots: one per process.
        groups: runs of the same weights each.
        seen: stamps of the runs' records, see :class:`prior_bench.engine.job_process.Order`.
        wanted: returns how many slots a run's weights take until they are made.
        tell: takes the events of all of them, in this process.
        claimed: the runs that other processes have, as noted by ``tell``.

    Raises:
        BenchError: a process was killed or failed; the others have done what they could.
        StorageError: the disk is full, or may not be written to.
    """
    context = multiprocessing.get_context("spawn")
    jobs: dict[Connection, Job] = {}
    try:
        for slot in slots:
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs, shared, slot))
            with _without_interrupts(), own_modules(), bound(None if slot.gpu is None else [slot.gpu]):
                process.start()
            theirs.close()  # so that a dead process is an end of file here
            jobs[ours] = Job(process, slot)
        Handout(jobs, RunQueue(groups, wanted, len(jobs)), seen, tell, claimed).serve()
        for job in jobs.values():
            job.process.join(timeout=30)  # they have been told to stop, and tidy up
    finally:
        _end([job.process for job in jobs.values()])
        shared.store.claims.sweep()


def _end(processes: list[BaseProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(timeout=10)
        if process.is_alive():  # it hangs while it ends
            process.kill()
            process.join()


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Let processes that are started here ignore Ctrl-C: this process ends them, and says so once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
