"""Runs that all processes of torchrun share: they train together, and the first one claims and records.

Under torchrun, what is trained in several processes comes first: pre-trainings whose weights are missing, and
the runs whose protocol wants several ``gpus``. The first process says what comes next; the others follow it.
All other runs are then evaluated by one process each, which claim them as processes of any kind do.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from prior_bench.api import Backbone, TaskResult
from prior_bench.engine.claimed_runner import ClaimedRunner
from prior_bench.engine.events import RanksEnded
from prior_bench.engine.runner import Runner, weights_of
from prior_bench.errors import BenchError
from prior_bench.pretraining.meeting import ANSWER
from prior_bench.pretraining.processes import TRAINING, Processes, SaidElsewhere, is_of_another

if TYPE_CHECKING:
    from prior_bench.suites.plan import Plan, PlannedRun

Found = TypeVar("Found")
LOG = logging.getLogger(__name__)
NEXT = "what the first process does next"


class Next(NamedTuple):
    """What the first process does next.

    Attributes:
        key: of the run.
        loads: whether it loads the backbone, because it has none of these weights.
        makes: whether weights alone are made, without a run.
    """

    key: str
    loads: bool = False
    makes: bool = False


class AgreeingRunner(Runner):
    """A runner of several processes, which load and evaluate together.

    Attributes:
        processes: all processes.
    """

    processes: Processes

    def _load(self, run: PlannedRun) -> Backbone:
        load = super()._load
        return agreed(self.processes, lambda: load(run))

    def _run_task(self, backbone: Backbone, run: PlannedRun) -> TaskResult:
        run_task = super()._run_task
        return agreed(self.processes, lambda: run_task(backbone, run))


class LeadingRunner(AgreeingRunner, ClaimedRunner):
    """The runner of the first process, which takes the others along."""

    def shared_by(self, run: PlannedRun) -> dict[str, Any]:
        """Return what the record says of the processes that share a run."""
        return {"processes": self.processes.count}

    def run(self, run: PlannedRun) -> None:
        """Run a cell in all processes; see :meth:`prior_bench.engine.runner.Runner.run`."""
        tried = self._backbone is not None or self._unloadable is not None
        there = self._weights == weights_of(run) and tried
        _told(self.processes, Next(run.key, loads=not there))
        super().run(run)

    def make(self, run: PlannedRun) -> None:
        """Make the weights of a run in all processes; an error is that of the runs that need them."""
        _told(self.processes, Next(run.key, makes=True))
        _make(self, self.processes, run)

    def end(self) -> None:
        """Let the others go on alone."""
        _told(self.processes, None)


class FollowingRunner(AgreeingRunner):
    """The runner of the other processes: it records nothing."""

    def follow(self, runs: Iterable[PlannedRun]) -> None:
        """Do what the first process does, until it says that the others go on alone."""
        by_key = {run.key: run for run in runs}
        while (following := _told(self.processes, None)) is not None:
            run = by_key[following.key]
            if following.makes:
                _make(self, self.processes, run)
                continue
            if following.loads:
                self._weights = None
            try:
                self.evaluate_alone(run)
            except RanksEnded:
                raise
            except Exception as error:  # the first process records it
                LOG.info("the shared run failed: %s", error, exc_info=error)


def agreed(processes: Processes, do: Callable[[], Found]) -> Found:
    """Do something in all processes; return what this one has found, if it has succeeded in all of them.

    Raises:
        Exception: what this process has failed of.
        BenchError: another process has failed.
        RanksEnded: another process has ended, or does not come because this one has failed alone.
    """
    found, error = None, None
    try:
        found = do()
    except Exception as own:
        if isinstance(own, SaidElsewhere) or (isinstance(own, RuntimeError) and is_of_another(own)):
            raise RanksEnded(_ended(own)) from own
        error = own
    try:
        processes.meet("the end of the run", ANSWER if error else TRAINING)
        told = processes.gather(None if error is None else str(error) or type(error).__name__)
    except BenchError as elsewhere:
        raise RanksEnded(_ended(error or elsewhere)) from (error or elsewhere)
    if error is not None:
        raise error
    for rank, problem in enumerate(told):
        if problem is not None:
            raise BenchError(f"process {rank} of {processes.count}: {problem}")
    return found  # type: ignore[return-value]  # it is there without an error


def _ended(error: Exception) -> str:
    reason = " ".join(str(error).split())[:300]
    return f"the processes of a run do not go on together, and nothing of it is recorded ({reason})"


def _told(processes: Processes, what: Next | None) -> Next | None:
    """Return what the first process says, for which the others wait as long as it takes."""
    try:
        return processes.together(NEXT, lambda: what)[0]
    except BenchError as error:
        raise RanksEnded(_ended(error)) from error


def _make(runner: Runner, processes: Processes, run: PlannedRun) -> None:
    source: Any = runner.plan.sources[run.spec.backbone["name"]]
    try:
        agreed(processes, lambda: source.make(run.spec.seed, runner.load_context()))
    except RanksEnded:
        raise
    except Exception as error:  # its runs fail of it, too, and are recorded
        LOG.warning("weights could not be made together: %s", error, exc_info=error)


def to_share(plan: Plan) -> bool:
    """Return whether a plan has anything that several processes do together."""
    return any(run.gpus > 1 or _trains(plan, run) for run in plan.runnable())


def to_make(plan: Plan, waiting: list[PlannedRun], pretrained: Any) -> list[PlannedRun]:
    """Return a run of all weights that are pre-trained and not made yet."""
    found: dict[tuple[str, str], PlannedRun] = {}
    for run in waiting:
        source: Any = plan.sources[run.spec.backbone["name"]]
        if _trains(plan, run) and not source.is_made(run.spec.seed, pretrained):
            found.setdefault(weights_of(run), run)
    return list(found.values())


def _trains(plan: Plan, run: PlannedRun) -> bool:
    return hasattr(plan.sources[run.spec.backbone["name"]], "is_made")
