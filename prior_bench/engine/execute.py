"""Run the cells of a plan that the store does not contain, one backbone at a time or several at once.

A finished run is on disk before the next begins, so a process killed at any moment loses at most the run
it was in. A run that fails is recorded with its traceback and does not stop the others.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from prior_bench.api import RunRecord
from prior_bench.engine.clock import Clock
from prior_bench.engine.jobs import run_in_processes
from prior_bench.engine.runner import Event, Runner, weights_of
from prior_bench.errors import BenchError
from prior_bench.runtime import deterministic, pick_device, threads
from prior_bench.store.store import Store
from prior_bench.suites.plan import Plan, PlannedRun, describe

LOG = logging.getLogger(__name__)
say_at_once = partial(print, flush=True)
"""Prints a line at once, also where the output is a file."""


class Overwrite(Enum):
    """Which recorded runs are repeated."""

    SKIP = "skip"
    """None: what is recorded stays, failures too."""
    FAILED = "failed"
    """Those that failed."""
    ALL = "all"
    """All."""


@dataclass
class SuiteOutcome:
    """Summary of what :func:`evaluate` did.

    Attributes:
        records: record of each runnable cell, by key, in the order of the plan.
        ran: keys of the runs that were finished now.
        skipped: keys of those whose record was there.
        failed: keys of those that failed, now or (under ``Overwrite.SKIP``) before.
    """

    records: dict[str, RunRecord] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def to_do(plan: Plan, store: Store, overwrite: Overwrite = Overwrite.FAILED) -> list[PlannedRun]:
    """The cells of a plan that :func:`evaluate` would run, each key once."""
    waiting: dict[str, PlannedRun] = {}
    for run in plan.runnable():
        record = None if overwrite is Overwrite.ALL else store.get(run.key)
        failed_before = record is not None and record.status == "failed"
        if record is None or (failed_before and overwrite is Overwrite.FAILED):
            waiting.setdefault(run.key, run)
    return list(waiting.values())


def evaluate(
    plan: Plan,
    store: Store,
    *,
    device: str = "auto",
    workers: int = 0,
    jobs: int = 1,
    overwrite: Overwrite = Overwrite.FAILED,
    shared: bool = False,
    say: Callable[[str], None] = say_at_once,
) -> SuiteOutcome:
    """Run the cells that the store does not contain. Suites and single evaluations use the same function.

    Args:
        plan: from :func:`prior_bench.suites.plan.expand`.
        store: where records go and where finished ones are looked up.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: data loading processes.
        jobs: number of processes, see :mod:`prior_bench.engine.jobs`.
        overwrite: which recorded runs are run again.
        shared: whether other processes may write other cells of the store meanwhile, as single evaluations
            do; they wait for each other only at the same cell. Otherwise, this process is the only writer.
        say: takes progress lines.

    Raises:
        BenchError: the device is not there, another process is writing to the store, or a job was
            killed or failed.
    """
    if jobs < 1:
        raise BenchError(f"is {jobs}; must be at least 1", where="--jobs")
    with store.writing_cells(run.key for run in plan.runnable()) if shared else store.writing():
        with store.changing_plan():
            store.save_plan(merged_plan(plan, store))
        waiting = to_do(plan, store, overwrite)
        keys = {run.key for run in waiting}
        outcome = SuiteOutcome(
            skipped=list(dict.fromkeys(r.key for r in plan.runnable() if r.key not in keys))
        )
        LOG.info("%d runs to do, %d recorded; store %s", len(waiting), len(outcome.skipped), store.root)
        if waiting:
            LOG.info("device %s, %d jobs, threads %s", device, jobs, plan.suite.threads or "as usual")
            groups, device = _by_backbone(waiting), pick_device(device)
            jobs = min(jobs, len(waiting))
            progress = _Progress(store, [run for group in groups for run in group], jobs, say, outcome)
            if jobs == 1:
                runner = Runner(plan, store, device, workers, progress)
                with threads(plan.suite.threads), deterministic(device, plan.suite.deterministic):
                    for run in (run for group in groups for run in group):
                        runner.run(run)
            else:
                run_in_processes(plan, store, device, workers, groups, jobs, progress)
        records = {run.key: store.get(run.key) for run in plan.runnable()}
        outcome.records = {key: record for key, record in records.items() if record is not None}
    outcome.failed = [key for key, record in outcome.records.items() if record and record.status == "failed"]
    return outcome


def merged_plan(plan: Plan, store: Store) -> list[dict[str, Any]]:
    """The cells to write to ``plan.json``. A partial plan keeps the other cells that are noted there."""
    cells = {
        run.label: {"spec": run.spec.to_dict(), "key": run.key, "reason": run.reason} for run in plan.runs
    }
    if not plan.partial:
        return list(cells.values())
    noted = {describe(cell["spec"]): cell for cell in store.plan()}
    return list({**noted, **cells}.values())


def _by_backbone(waiting: list[PlannedRun]) -> list[list[PlannedRun]]:
    """Group runs that share weights; otherwise keep the order of the plan."""
    groups: dict[tuple[str, str], list[PlannedRun]] = {}
    for run in waiting:
        groups.setdefault(weights_of(run), []).append(run)
    return list(groups.values())


class _Progress:
    """Turns events into lines with the time elapsed and the time left, and notes the outcome."""

    def __init__(
        self, store: Store, waiting: list[PlannedRun], jobs: int, say: Callable, outcome: SuiteOutcome
    ):
        self.runs, self.say, self.outcome = {run.key: run for run in waiting}, say, outcome
        self.clock = Clock(store, jobs)
        self.clock.start(waiting)

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == "loading":
            self.say(event.text)
        elif event.kind == "loaded":
            self.clock.loaded(event.seconds)
        else:
            if event.kind == "finished":
                self.outcome.ran.append(event.key)
            self.say(self.clock.line(self.runs[event.key], event.seconds, event.text))
