"""Groups of runs in several processes at once: small models do not fill a machine one at a time.

Each process computes with its share of the cores. They are spawned, as torch's threads do not survive a
fork, and end with this process, however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    from prior_bench.engine.group import Event
    from prior_bench.engine.plan import Plan, PlannedRun
    from prior_bench.engine.store import Store

NEXT = "next"
"""What a process sends when it wants another group."""


def run_groups(
    plan: Plan,
    store: Store,
    device: str,
    workers: int,
    groups: list[list[PlannedRun]],
    jobs: int,
    tell: Callable[[Event], None],
) -> None:
    """Run all groups, ``jobs`` at a time, each by :class:`prior_bench.engine.group.Group`.

    Args:
        tell: takes the events of all of them, in this process.

    Raises:
        BenchError: a process was killed.
    """
    context = multiprocessing.get_context("spawn")
    jobs = min(jobs, len(groups))
    threads = max(1, (os.cpu_count() or 1) // jobs)
    processes, ours = [], []
    for _ in range(jobs):
        mine, theirs = context.Pipe()
        settings = (theirs, os.getpid(), threads, plan, store, device, workers)
        process = context.Process(target=_work, args=settings)
        process.start()
        theirs.close()  # so that a dead process is an end of file here
        processes.append(process)
        ours.append(mine)
    try:
        _serve(ours, list(groups), tell)
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _serve(ours: list[Connection], groups: list[list[PlannedRun]], tell: Callable[[Event], None]) -> None:
    """Hand out the groups and pass the events on, until every process has been told to stop."""
    open_ends = list(ours)
    while open_ends:
        for end in wait(open_ends):
            try:
                message = end.recv()
            except EOFError as error:
                raise BenchError(
                    "a process was killed; what it had finished is recorded",
                    where="--jobs",
                    fix="where memory ran out use fewer, then run the same command again",
                ) from error
            if message != NEXT:
                tell(message)
            elif groups:
                end.send(groups.pop(0))
            else:
                end.send(None)
                open_ends.remove(end)


def _work(
    end: Connection, parent: int, threads: int, plan: Plan, store: Store, device: str, workers: int
) -> None:
    """A process: ask for a group, run it, and so on."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    _compute_with(threads)
    from prior_bench.engine.group import Group

    group = Group(plan, store, device, workers, end.send)
    try:
        end.send(NEXT)
        while (runs := end.recv()) is not None:
            group.run(runs)
            end.send(NEXT)
    except (KeyboardInterrupt, EOFError, BrokenPipeError):
        pass  # the parent says what there is to say


def _compute_with(threads: int) -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)
    os.environ["PRIOR_BENCH_PROGRESS"] = ""  # bars of several processes would overwrite each other


def _end_with(parent: int) -> None:
    """Do not outlive the parent: another run of the suite may be started, and must find no one at work."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
