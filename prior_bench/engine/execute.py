"""Run a plan: load each backbone once, run its cells, and record every outcome as soon as it is there.

A finished run is on disk before the next begins, so a process killed at any moment loses at most the run
it was in. A run that fails is recorded with its traceback and does not stop the others.
"""

from __future__ import annotations

import time
import traceback
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from itertools import groupby
from typing import Any

from prior_bench import paths
from prior_bench.api import Backbone, LoadContext, RunContext, RunRecord, TaskResult
from prior_bench.engine.clock import Clock
from prior_bench.engine.plan import Plan, PlannedRun, describe, task_code
from prior_bench.engine.provenance import provenance
from prior_bench.engine.store import Store
from prior_bench.errors import BenchError
from prior_bench.protocols import from_dict
from prior_bench.registry import TASKS
from prior_bench.runtime import pick_device, seed_everything

say_at_once = partial(print, flush=True)
"""Prints a line at once, also where the output is a file."""


class Overwrite(Enum):
    """Which recorded runs are run again."""

    SKIP = "skip"
    """None: what is recorded stays, failures too."""
    FAILED = "failed"
    """Those that failed."""
    ALL = "all"
    """All."""


@dataclass
class Outcome:
    """What :func:`evaluate` did.

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
    """The cells of a plan that would be run, each key once."""
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
    overwrite: Overwrite = Overwrite.FAILED,
    say: Callable[[str], None] = say_at_once,
) -> Outcome:
    """Run what the plan lacks in the store. One way for suites and single evaluations alike.

    Args:
        plan: from :func:`prior_bench.engine.plan.expand`.
        store: where records go and where finished ones are looked up.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        workers: data loading processes.
        overwrite: which recorded runs are run again.
        say: takes progress lines.

    Raises:
        BenchError: the device is not there, or another process is writing to the store.
    """
    with store.writing():
        store.save_plan(merged_plan(plan, store))
        waiting = to_do(plan, store, overwrite)
        keys = {run.key for run in waiting}
        outcome = Outcome(skipped=list(dict.fromkeys(r.key for r in plan.runnable() if r.key not in keys)))
        if waiting:
            _Session(plan, store, pick_device(device), workers, say, outcome).run(waiting)
        outcome.records = {run.key: store.get(run.key) for run in plan.runnable()}
    outcome.failed = [key for key, record in outcome.records.items() if record and record.status == "failed"]
    return outcome


def merged_plan(plan: Plan, store: Store) -> list[dict[str, Any]]:
    """The plan's cells for ``plan.json``: a plan of part of the suite leaves the other cells as noted."""
    cells = {run.label: {"spec": asdict(run.spec), "key": run.key, "reason": run.reason} for run in plan.runs}
    if not plan.partial:
        return list(cells.values())
    noted = {describe(cell["spec"]): cell for cell in store.plan()}
    return list({**noted, **cells}.values())


class _Session:
    """One pass over the runs that wait, with what they share."""

    def __init__(self, plan: Plan, store: Store, device: str, workers: int, say: Callable, outcome: Outcome):
        self.plan, self.store, self.device, self.workers = plan, store, device, workers
        self.say, self.outcome = say, outcome
        self.clock = Clock(store)

    def run(self, waiting: list[PlannedRun]) -> None:
        """All of them, by backbone; the order within one is the plan's."""
        order = {}
        for run in waiting:
            order.setdefault((run.spec.backbone["name"], run.identity), len(order))
        waiting = sorted(waiting, key=lambda r: order[r.spec.backbone["name"], r.identity])
        self.clock.start(waiting)
        groups = groupby(waiting, key=lambda r: (r.spec.backbone["name"], r.identity))
        for (name, _), runs in groups:
            self._run_group(name, list(runs))

    def _run_group(self, name: str, runs: list[PlannedRun]) -> None:
        backbone, unloadable = None, None
        for run in runs:
            begun = time.monotonic()
            self.store.log("started", run.key, run.label)
            try:
                if unloadable:
                    raise unloadable
                if backbone is None:
                    try:
                        backbone = self._load(name, run.spec.seed)
                    except Exception as error:
                        unloadable = error
                        raise
                    self.clock.loaded(time.monotonic() - begun)
                loaded = time.monotonic()
                before = _checksum(backbone)
                result = self._run_task(backbone, run)
                if _checksum(backbone) != before:
                    backbone = None
                    raise BenchError(
                        "the task changed the backbone's weights in place",
                        where=run.spec.task,
                        fix="train a copy (copy.deepcopy)",
                    )
            except Exception as error:  # whatever it is, the other runs go on
                self._record_failure(run, error, time.monotonic() - begun)
            else:
                self._record(run, backbone, result, time.monotonic() - loaded)

    def _load(self, name: str, seed: int) -> Backbone:
        self.say(f"making {name} ready (seed {seed})")
        seed_everything(seed)
        context = LoadContext(self.device, paths.results_root() / "pretrain", self.workers)
        return self.plan.sources[name].load(seed, context)

    def _run_task(self, backbone: Backbone, run: PlannedRun) -> TaskResult:
        spec = run.spec
        context = RunContext(
            fraction=spec.fraction,
            seed=spec.seed,
            work_dir=self.store.work_dir(run.key),
            cache_dir=paths.cache_root(),
            device=self.device,
            workers=self.workers,
        )
        data = self.plan.data_sets.open(spec.data, spec.protocol)
        # each run starts from its own seed, so that it does not matter which ones went before it
        seed_everything(spec.seed)
        return TASKS.get(spec.task)().run(backbone, data, from_dict(spec.protocol), context)

    def _record(self, run: PlannedRun, backbone: Backbone, result: TaskResult, seconds: float) -> None:
        record = RunRecord(
            key=run.key,
            status="done",
            spec=asdict(run.spec),
            metrics=result.metrics,
            trivial=result.trivial,
            history=result.history,
            split=result.split,
            provenance={
                **self._provenance(run, seconds),
                "backbone": backbone.provenance,
                "input": asdict(backbone.input),
                "parameters": _parameters(backbone),
            },
            synthetic=self.plan.data_sets.open(run.spec.data, run.spec.protocol).synthetic,
        )
        self.store.save(record, result.predictions)
        self.store.drop_work(run.key)
        self.store.log("finished", run.key, run.label)
        self.outcome.ran.append(run.key)
        primary = (*run.spec.protocol["metrics"], *result.metrics)[:1]
        value = "".join(f"{name} {result.metrics[name]:.3f}  " for name in primary if name in result.metrics)
        self.say(self.clock.line(run, seconds, value))

    def _record_failure(self, run: PlannedRun, error: Exception, seconds: float) -> None:
        message = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        record = RunRecord(
            key=run.key,
            status="failed",
            spec=asdict(run.spec),
            error=message,
            provenance=self._provenance(run, seconds),
            synthetic=self.plan.data_sets.open(run.spec.data, run.spec.protocol).synthetic,
        )
        self.store.save(record, traceback="".join(traceback.format_exception(error)))
        self.store.drop_work(run.key)
        self.store.log("failed", run.key, run.label)
        self.say(self.clock.line(run, seconds, f"FAILED: {message}  "))

    def _provenance(self, run: PlannedRun, seconds: float) -> dict[str, Any]:
        return {
            **provenance(self.device),
            "identity": run.identity,
            "data_fingerprint": self.plan.data_sets.fingerprint(run.spec.data, run.spec.protocol),
            "code_version": task_code(TASKS.get(run.spec.task)),
            "wall_seconds": round(seconds, 3),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }


def _parameters(backbone: Backbone) -> int:
    """Parameters of the image encoder."""
    parameters = getattr(backbone.image_encoder, "parameters", None)
    return sum(p.numel() for p in parameters()) if parameters else 0


def _checksum(backbone: Backbone) -> int:
    """CRC over the image encoder's and, where present, the method's weights and buffers."""
    import torch

    owner = backbone.method if backbone.method is not None else backbone.image_encoder
    checksum = 0
    for name, tensor in sorted(getattr(owner, "state_dict", dict)().items()):
        if isinstance(tensor, torch.Tensor):
            data = tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy()
            checksum = zlib.crc32(data, zlib.crc32(name.encode(), checksum))
    return checksum
