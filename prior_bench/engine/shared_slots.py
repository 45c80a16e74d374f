"""Runs that take several slots: a process per GPU, which train together and end with the run.

The process of the first slot has the claim and writes the record; the others have nothing to do meanwhile.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from prior_bench.api import Backbone, TaskResult
from prior_bench.engine.claimed_runner import ClaimedRunner
from prior_bench.engine.events import RanksEnded
from prior_bench.engine.runner import Runner
from prior_bench.errors import BenchError
from prior_bench.runtime import VISIBLE, deterministic

if TYPE_CHECKING:
    from prior_bench.store.store import Store
    from prior_bench.suites.plan import Plan, PlannedRun


class SlotsRunner(ClaimedRunner):
    """A runner that evaluates a run in as many processes as its protocol wants and it has GPUs."""

    _peak: dict[str, float] | None = None

    def shared_by(self, run: PlannedRun) -> dict[str, Any]:
        """Return what the record says of the processes that share a run, if several do."""
        if len(gpus := self._taken(run)) == 1:
            return {}
        return {"processes": len(gpus), "binding": {**(self.binding or {}), VISIBLE: ",".join(gpus)}}

    def _taken(self, run: PlannedRun) -> tuple[str, ...]:
        """Return the GPUs that a run takes; one without a name if it stays in this process."""
        return self.gpus[: run.gpus] if run.gpus > 1 and len(self.gpus) > 1 else ("",)

    def peak(self) -> dict[str, float]:
        """Return the most memory that a process of the last run took."""
        return super().peak() if self._peak is None else self._peak

    def _run_task(self, backbone: Backbone, run: PlannedRun) -> TaskResult:
        self._peak = None
        if len(gpus := self._taken(run)) == 1:
            return super()._run_task(backbone, run)
        what = self.plan, self.store, self.device, self.workers, run
        result, self._peak = evaluated_on(gpus, run, *what)
        return result


def evaluated_on(gpus: Sequence[str], run: PlannedRun, *what: Any) -> tuple[TaskResult, dict[str, float]]:
    """Evaluate a run in one new process per GPU; return its result and the most memory of a process.

    Args:
        gpus: as ``CUDA_VISIBLE_DEVICES`` names them.
        run: the run, whose weights exist.
        what: plan, store, device, workers and run, for the processes.

    Raises:
        RanksEnded: a process was killed.
        BenchError: the run failed in a process.
    """
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    from prior_bench.pretraining.on_gpus import in_processes, what_failed

    try:
        found = in_processes(gpus, run.key, _evaluate, *what)
    except ChildFailedError as error:
        message, where = what_failed(error, gpus)
        if error.get_first_failure()[1].exitcode < 0:
            fix = "where memory ran out, take more GPUs (gpus); then run the same command again"
            what_ended = f"{where} was killed; nothing of the run is recorded: {message}"
            raise RanksEnded(what_ended, where=run.label, fix=fix) from error
        raise BenchError(f"{where}: {message}" if where else message) from error
    peaks = [peak for _, peak in found.values()]
    return found[0][0], {name: max(peak[name] for peak in peaks) for name in peaks[0]}


def _evaluate(
    plan: Plan, store: Store, device: str, workers: int, run: PlannedRun
) -> tuple[TaskResult | None, dict[str, float]]:
    """Evaluate a run in one of several processes; the first one returns the result."""
    from prior_bench.pretraining.meeting import ENDED
    from prior_bench.pretraining.on_gpus import LATER, begin_process
    from prior_bench.pretraining.processes import joined

    begin_process()
    os.environ["PRIOR_BENCH_PROGRESS"] = ""
    try:
        with joined(device, slurm=False) as processes, deterministic(device, plan.suite.deterministic):
            runner = Runner(plan, store, device, workers, tell=lambda event: None)
            result = runner.evaluate_alone(run)
            return (None if processes.rank else result), runner.peak()
    except BenchError as error:
        if error.fix == ENDED:
            time.sleep(LATER)  # torch tells of the first failure alone, which is the other process's
        raise
