"""One of the processes of :mod:`prior_bench.engine.jobs`: it asks for one run after another."""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from prior_bench import logs
from prior_bench.engine.events import RanksEnded
from prior_bench.engine.slots import Slot
from prior_bench.errors import BenchError
from prior_bench.runtime import deterministic, use_threads

if TYPE_CHECKING:
    from prior_bench.engine.claimed_runner import ClaimedRunner
    from prior_bench.store.store import Stamp, Store
    from prior_bench.suites.plan import Plan, PlannedRun

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shared:
    """What all processes get.

    Attributes:
        plan, store, device, workers: see :class:`prior_bench.engine.runner.Runner`.
        jobs: number of the processes.
        log: where the log is written, see :func:`prior_bench.logs.current`.
    """

    plan: Plan
    store: Store
    device: str
    workers: int
    jobs: int
    log: tuple[Path | None, bool]


@dataclass(frozen=True)
class Order:
    """A run for a process.

    Attributes:
        run: what to run.
        seen: stamp of its record, see :meth:`prior_bench.engine.claimed_runner.ClaimedRunner.run_claimed`.
        gpus: of several slots, for a run or a pre-training that takes them; otherwise empty.
    """

    run: PlannedRun
    seen: Stamp
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ready:
    """What a process sends when it wants another run; it gets an :class:`Order`, or None for no more.

    Attributes:
        done: whether nothing is left to do of the run before; false at first, and if another process has it.
        error: why the run was given up, with nothing recorded.
    """

    done: bool
    error: BenchError | None = None


def work(end: Connection, shared: Shared, slot: Slot) -> None:
    """Run what the other end of a pipe sends, and tell it what happens."""
    with logs.joined(*shared.log):
        try:
            _serve_runs(end, shared, slot)
        except Exception:  # a fault of ours: multiprocessing prints it once more, and ends the process
            LOG.exception("a process failed outside of a run")
            raise


def _serve_runs(end: Connection, shared: Shared, slot: Slot) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    suite = shared.plan.suite
    use_threads(suite.threads or _threads(shared.jobs))
    # a spawned process would spawn its own: data loaders take the platform's way, as without jobs
    multiprocessing.set_start_method(None, force=True)
    from prior_bench.engine.shared_slots import SlotsRunner

    os.environ["PRIOR_BENCH_PROGRESS"] = ""  # bars of several processes would overwrite each other
    runner = SlotsRunner(shared.plan, shared.store, shared.device, shared.workers, end.send, slot.binding)
    try:
        with deterministic(shared.device, suite.deterministic):
            end.send(Ready(False))
            while order := end.recv():
                runner.gpus = order.gpus
                end.send(_served(runner, order))
    except BenchError as error:  # of the store; what a run fails of is in its record
        end.send(error)
    except (KeyboardInterrupt, EOFError, ConnectionError):
        pass  # the parent says what there is to say


def _served(runner: ClaimedRunner, order: Order) -> Ready:
    try:
        return Ready(runner.run_claimed(order.run, order.seen))
    except RanksEnded as error:
        return Ready(True, error)


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
