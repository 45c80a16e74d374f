"""Run the cells of a plan that the store does not contain, one backbone at a time or several at once.

A finished run is on disk before the next begins, so a process killed at any moment loses at most the run
it was in. A run that fails is recorded with its traceback and does not stop the others.

Any number of processes may run cells of one store: each cell is claimed while it runs
(:mod:`prior_bench.store.cell_claims`). Cells of other processes are left to them and waited for at the end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from prior_bench import logs, paths
from prior_bench.api import RunRecord
from prior_bench.engine.claimed_runner import ClaimedRunner
from prior_bench.engine.claimed_runs import ClaimedRuns
from prior_bench.engine.clock import Clock
from prior_bench.engine.events import Event
from prior_bench.engine.job_process import Shared
from prior_bench.engine.jobs import run_in_processes
from prior_bench.engine.runner import weights_of
from prior_bench.engine.slots import Slot, slots_of
from prior_bench.errors import BenchError
from prior_bench.pretraining.launch import launched
from prior_bench.runtime import deterministic, pick_device, threads
from prior_bench.store.cells import describe
from prior_bench.store.store import Stamp, Store
from prior_bench.suites.plan import Plan, PlannedRun

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
    """The cells of a plan with a key that :func:`evaluate` would run, each key once."""
    waiting: dict[str, PlannedRun] = {}
    for run in plan.runnable():
        if not run.key:
            continue
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
    gpus: str | None = None,
    overwrite: Overwrite = Overwrite.FAILED,
    binding: dict[str, Any] | None = None,
    planned: bool = False,
    say: Callable[[str], None] = say_at_once,
) -> SuiteOutcome:
    """Run the cells that the store does not contain. Suites and single evaluations use the same function.

    Args:
        plan: from :func:`prior_bench.suites.plan.expand`.
        store: where records go and where finished ones are looked up.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: data loading processes.
        jobs: number of processes, see :mod:`prior_bench.engine.jobs`.
        gpus: GPUs of which each gets a process, see :func:`prior_bench.engine.slots.slots_of`.
        overwrite: which recorded runs are run again.
        binding: what records say of the GPU that this process was given by a scheduler.
        planned: whether the cells are in the store's plan already.
        say: takes progress lines.

    Raises:
        BenchError: the device is not there, the store cannot be written, or a job was killed or failed.
    """
    slots = slots_of(jobs, gpus)
    if gpus is not None and device.startswith("cuda:"):
        fix = "leave out one of them"
        raise BenchError(f"cannot be used together with --device {device}", where="--gpus", fix=fix)
    store.prepare()
    if not planned:
        with store.changing_plan():
            store.save_plan(merged_plan(plan, store))
    seen = {run.key: store.stamp(run.key) for run in plan.runnable()}  # before the records are read
    waiting = to_do(plan, store, overwrite)
    keys = {run.key for run in waiting}
    outcome = SuiteOutcome(skipped=list(dict.fromkeys(r.key for r in plan.runnable() if r.key not in keys)))
    LOG.info("%d runs to do, %d recorded; store %s", len(waiting), len(outcome.skipped), store.root)
    if gpus is None and jobs == 1 and launched(slurm=False) is not None:
        device = pick_device(device)
        waiting = _shared_by_ranks(plan, store, waiting, seen, (device, workers, binding), say, outcome)
    if waiting:
        groups, device = _by_backbone(waiting), pick_device(device)
        wanted = _slots_wanted(plan, groups, slots)
        slots = slots[: max(len(waiting), *(wanted(runs[0]) for runs in groups))]
        where = f"{len(slots)} {'jobs' if gpus is None else 'GPUs'}"
        LOG.info("device %s, %s, threads %s", device, where, plan.suite.threads or "as usual")
        progress = _Progress(store, [run for group in groups for run in group], len(slots), say, outcome)
        if slots == [Slot(0)]:
            runner = ClaimedRunner(plan, store, device, workers, progress, binding)
            with threads(plan.suite.threads), deterministic(device, plan.suite.deterministic):
                _run_here(runner, groups, seen, progress.claimed)
        else:
            shared = Shared(plan, store, device, workers, len(slots), logs.current())
            run_in_processes(shared, slots, groups, seen, wanted, progress, progress.claimed)
    records = {run.key: store.get(run.key) for run in plan.runnable()}
    outcome.records = {key: record for key, record in records.items() if record is not None}
    outcome.failed = [key for key, record in outcome.records.items() if record and record.status == "failed"]
    return outcome


def _slots_wanted(
    plan: Plan, groups: list[list[PlannedRun]], slots: list[Slot]
) -> Callable[[PlannedRun], int]:
    """Return the function that says how many slots a run takes, or its weights until they are made.

    A run takes as many as its protocol wants, or all; its result does not depend on it.

    Raises:
        BenchError: weights take more GPUs than there are.
    """
    pretrained = paths.results_root() / "pretrain"

    def of_weights(run: PlannedRun) -> int:
        source = plan.sources[run.spec.backbone["name"]]
        if slots[0].gpu is None or not hasattr(source, "gpus_wanted"):
            return 1
        return source.gpus_wanted(run.spec.seed, pretrained)

    def wanted(run: PlannedRun) -> int:
        return max(of_weights(run), 1 if slots[0].gpu is None else min(run.gpus, len(slots)))

    for runs in groups:
        if (most := of_weights(runs[0])) > len(slots):
            raise BenchError(
                f"its pre-training takes {most} GPUs, and --gpus names {len(slots)}",
                where=runs[0].spec.backbone["name"],
                fix="name more GPUs, or change 'gpus' in its config",
            )
    return wanted


def _run_here(
    runner: ClaimedRunner, groups: list[list[PlannedRun]], seen: Mapping[str, Stamp], claimed: ClaimedRuns
) -> None:
    """Run all groups in this process, and at last the cells of others that they do not finish."""
    runs = [run for group in groups for run in group]
    while runs:
        for run in runs:
            runner.run_claimed(run, seen[run.key])
        while not (runs := claimed.free()) and (pause := claimed.pause()) is not None:
            claimed.waiting()
            time.sleep(pause)


def _shared_by_ranks(
    plan: Plan,
    store: Store,
    waiting: list[PlannedRun],
    seen: Mapping[str, Stamp],
    how: tuple[str, int, dict[str, Any] | None],
    say: Callable[[str], None],
    outcome: SuiteOutcome,
) -> list[PlannedRun]:
    """Do in all processes of torchrun what they do together; return the runs that are left for each alone.

    Args:
        plan, store, say: see :func:`evaluate`.
        waiting, seen: runs to do, and the stamps of their records.
        how: device, workers and binding.
        outcome: takes what was run.

    Raises:
        RanksEnded: another process has ended, or does not answer.
    """
    from prior_bench.engine.shared_ranks import FollowingRunner, LeadingRunner, to_make, to_share
    from prior_bench.pretraining.processes import joined

    if not to_share(plan):
        return waiting
    shared, (device, workers, binding) = [run for run in waiting if run.gpus > 1], how
    progress, suite = _Progress(store, shared, 1, say, outcome), plan.suite
    with (
        joined(device, slurm=False) as processes,
        threads(suite.threads),
        deterministic(device, suite.deterministic),
    ):
        if processes.rank == 0:
            leader = LeadingRunner(plan, store, device, workers, progress, binding)
            leader.processes = processes
            for run in to_make(plan, waiting, paths.results_root() / "pretrain"):
                leader.make(run)
            _run_here(leader, _by_backbone(shared), seen, progress.claimed)
            leader.end()
        else:
            follower = FollowingRunner(plan, store, device, workers, lambda event: None)
            follower.processes = processes
            follower.follow(plan.runnable())
            for run in shared:
                progress(Event("recorded", run.key, text="done by process 0  "))
    return [run for run in waiting if run.gpus == 1]


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
    """Group runs that share weights; otherwise keep the order of the plan.

    A run that takes several slots is a group of its own.
    """
    groups: dict[tuple[str, ...], list[PlannedRun]] = {}
    for run in waiting:
        groups.setdefault((*weights_of(run), run.key if run.gpus > 1 else ""), []).append(run)
    return list(groups.values())


class _Progress:
    """Turns events into lines with the time elapsed and the time left, and notes the outcome."""

    def __init__(
        self, store: Store, waiting: list[PlannedRun], jobs: int, say: Callable, outcome: SuiteOutcome
    ):
        self.runs, self.say, self.outcome = {run.key: run for run in waiting}, say, outcome
        self.claimed = ClaimedRuns(store, say)
        self.clock = Clock(store, jobs)
        self.clock.start(waiting)

    def __call__(self, event: Event) -> None:
        """Take note of an event."""
        if event.kind == "loading":
            self.say(event.text)
        elif event.kind == "loaded":
            self.clock.loaded(event.seconds)
        elif event.kind == "claimed":
            self.claimed.add(self.runs[event.key], event.text)
        elif event.kind == "recorded":
            self.outcome.skipped.append(event.key)
            self.say(self.clock.line(self.runs[event.key], 0.0, event.text, ours=False))
        else:
            if event.kind == "finished":
                self.outcome.ran.append(event.key)
            self.say(self.clock.line(self.runs[event.key], event.seconds, event.text))
