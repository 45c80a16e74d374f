"""Run cells in several processes, because one small model does not use a whole machine.

Each process computes with its share of the cores, or with the threads that the suite states or that are usual
for a small model (:func:`prior_bench.runtime.usual_threads`). They are
spawned, as torch's threads do not survive a fork, and end with this process, however it ends.

A process asks for one run after another (:mod:`prior_bench.engine.run_queue`).
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING

from prior_bench import logs
from prior_bench.engine.run_queue import RunQueue
from prior_bench.errors import BenchError, StorageError
from prior_bench.runtime import deterministic, use_threads

if TYPE_CHECKING:
    from prior_bench.engine.runner import Event
    from prior_bench.store.store import Store
    from prior_bench.suites.plan import Plan, PlannedRun

LOG = logging.getLogger(__name__)
NEXT = "next"
"""What a process sends when it wants another run; it gets None where there are no more."""


def run_in_processes(
    plan: Plan,
    store: Store,
    device: str,
    workers: int,
    groups: list[list[PlannedRun]],
    jobs: int,
    tell: Callable[[Event], None],
) -> None:
    """Run all groups in ``jobs`` processes, each with a :class:`prior_bench.engine.runner.Runner`.

    Args:
        groups: runs of the same weights each.
        tell: takes the events of all of them, in this process.

    Raises:
        BenchError: a process was killed or failed; the others have done what they could.
        StorageError: the disk is full, or may not be written to.
    """
    context = multiprocessing.get_context("spawn")
    processes: dict[Connection, BaseProcess] = {}
    try:
        for _ in range(jobs):
            ours, theirs = context.Pipe()
            work = (theirs, jobs, plan, store, device, workers, logs.current())
            process = context.Process(target=_work, args=work)
            with _without_interrupts():
                process.start()
            theirs.close()  # so that a dead process is an end of file here
            processes[ours] = process
        _serve(processes, RunQueue(groups), tell)
        for worker in processes.values():
            worker.join(timeout=30)  # they have been told to stop, and tidy up
    finally:
        for worker in processes.values():
            worker.terminate()
        for worker in processes.values():
            worker.join(timeout=10)
            if worker.is_alive():  # it hangs while it ends
                worker.kill()
                worker.join()


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


def _serve(processes: dict[Connection, BaseProcess], queue: RunQueue, tell: Callable[[Event], None]) -> None:
    """Hand out runs and forward events until every process was told to stop or has died."""
    busy, idle = dict(processes), []
    ended: BenchError | None = None
    stopped: StorageError | None = None
    while busy:
        for end in wait(list(busy)):
            assert isinstance(end, Connection), "nothing else was waited for"
            try:
                message = end.recv()
            except (EOFError, OSError):
                ended = _why_ended(busy.pop(end))
                queue.died(end)
                continue
            if message == NEXT:
                queue.over(end)
                idle.append(end)
            elif isinstance(message, StorageError):
                stopped = stopped or message  # the others end the runs that they are in
                queue.stop()
            else:
                tell(message)
        for end in [process for process in idle if process in busy]:
            run = queue.next(end)
            if run is None and not queue.empty:
                continue  # the weights of the last groups are not made yet
            idle.remove(end)
            try:
                end.send(run)
            except OSError:  # it died with our message unread
                ended = _why_ended(busy.pop(end))
                queue.died(end)
            else:
                if run is None:
                    del busy[end]
    if reason := stopped or ended:
        raise reason


def _why_ended(process: BaseProcess) -> BenchError:
    process.join(timeout=10)
    if (process.exitcode or 0) > 0:
        what = "a process failed, its traceback is above; finished runs are recorded"
        return BenchError(what, where="--jobs", fix="fix what it names, then run the same command again")
    return BenchError(
        "a process was killed; finished runs are recorded",
        where="--jobs",
        fix="where memory ran out use fewer; then run the same command again",
    )


def _work(
    end: Connection,
    jobs: int,
    plan: Plan,
    store: Store,
    device: str,
    workers: int,
    log: tuple[Path | None, bool],
) -> None:
    """Loop of one process: request a run and do it, until there are no more."""
    with logs.joined(*log):
        try:
            _serve_runs(end, jobs, plan, store, device, workers)
        except Exception:  # multiprocessing prints it; the log has it as well
            LOG.exception("a process failed outside of a run")
            raise


def _serve_runs(end: Connection, jobs: int, plan: Plan, store: Store, device: str, workers: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    use_threads(plan.suite.threads or _threads(jobs))
    # a spawned process would spawn its own: data loaders take the platform's way, as without jobs
    multiprocessing.set_start_method(None, force=True)
    from prior_bench.engine.runner import Runner

    os.environ["PRIOR_BENCH_PROGRESS"] = ""  # bars of several processes would overwrite each other
    runner = Runner(plan, store, device, workers, end.send)
    try:
        with deterministic(device, plan.suite.deterministic):
            end.send(NEXT)
            while run := end.recv():
                runner.run(run)
                end.send(NEXT)
    except StorageError as error:
        end.send(error)
    except (KeyboardInterrupt, EOFError, ConnectionError):
        pass  # the parent says what there is to say


def _threads(jobs: int) -> int:
    """This process's share of the cores."""
    import torch

    return max(1, torch.get_num_threads() // jobs)  # knows of OMP_NUM_THREADS and of allotted cores


def _end_with_parent() -> None:
    """End when the parent ends, so that a new run of the suite finds no process at work."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "it was started by another process"
    parent.join()
    os._exit(1)
