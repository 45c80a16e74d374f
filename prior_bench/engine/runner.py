"""Run cells: load each backbone once, evaluate, and record each outcome immediately."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any

from prior_bench import logs, paths
from prior_bench.api import Backbone, LoadContext, Rehearsal, RunContext, RunRecord, RunSpec, TaskResult
from prior_bench.api.encoders import require_encoder
from prior_bench.api.finite_scores import require_finite_scores
from prior_bench.engine import peak_memory
from prior_bench.engine.checksum import unchanged
from prior_bench.engine.events import Event, LostClaim, RanksEnded
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.runtime import seed_everything, threads, usual_threads
from prior_bench.store.changed_source import task_source
from prior_bench.store.descriptions import plain_data
from prior_bench.store.provenance import provenance
from prior_bench.store.store import Store
from prior_bench.suites.plan import Plan, PlannedRun
from prior_bench.suites.protocols import from_dict

LOG = logging.getLogger(__name__)

SCORES = ("score", "prompt_score", "flat_score")
"""Predictions that rank or decide; a task's own check says more about where they come from."""


def weights_of(run: PlannedRun) -> tuple[str, str]:
    """What runs of the same weights have in common."""
    return run.spec.backbone["name"], run.identity


class Runner:
    """Runs one cell after another; the backbone stays loaded while the weights are the same.

    Args:
        plan: that they belong to.
        store: takes their records.
        device: ``"cpu"`` or ``"cuda"``.
        workers: data loading processes.
        tell: takes the events.
        binding: what records say of the GPU that this process is bound to, if it is.

    Attributes:
        gpus: see :class:`prior_bench.api.LoadContext`.
    """

    def __init__(
        self,
        plan: Plan,
        store: Store,
        device: str,
        workers: int,
        tell: Callable[[Event], None],
        binding: dict[str, Any] | None = None,
    ):
        self.plan, self.store, self.device, self.workers, self.tell = plan, store, device, workers, tell
        self.binding = binding
        self.gpus: tuple[str, ...] = ()
        self._weights: tuple[str, str] | None = None
        self._backbone: Backbone | None = None
        self._unloadable: Exception | None = None
        self._rehearsal: Rehearsal | None = None

    def shared_by(self, run: PlannedRun) -> dict[str, Any]:
        """Return what the record says of the processes that share a run, if several do."""
        return {}

    def run(self, run: PlannedRun) -> None:
        """Run a cell. One that fails is recorded and does not raise.

        Raises:
            StorageError: the disk is full, or may not be written to; the cell counts as not done.
        """
        with logs.of_run(run.key):
            self._run(run)

    def _run(self, run: PlannedRun) -> None:
        begun = time.monotonic()
        size = self.plan.suite.rehearsal
        self._rehearsal = None if size is None else Rehearsal(size)
        self.store.log("started", run.key, run.label)
        LOG.info("run started: %s", run.label)
        if self._make_ready(run):
            begun = time.monotonic()
        try:
            with self._threads():  # the record tells their number
                result = self._evaluate(run)
                assert self._backbone is not None, "it was evaluated"
                self._record(run, self._backbone, result, time.monotonic() - begun)
        except RanksEnded:
            LOG.warning("a process that shares the run has ended")
            raise
        except LostClaim:
            LOG.warning("the run was taken over by another process")
            raise
        except Exception as error:  # whatever it is, the other runs continue
            if disk := self.store.disk_error(error):
                raise disk from error  # it is not the run's fault; the run counts as not done
            self._backbone = None  # who knows what was done to it
            self._record_failure(run, error, time.monotonic() - begun)
            kind, text = "failed", f"FAILED: {_message(error)}  "
            LOG.error(
                "run failed after %.1f s: %s", time.monotonic() - begun, _message(error), exc_info=error
            )
        else:
            kind, text = "finished", _primary(run, result)
            LOG.info("run finished in %.1f s: %s", time.monotonic() - begun, text)
        self.store.drop_work(run.key)
        self.store.log(kind, run.key, run.label)
        self.tell(Event(kind, run.key, time.monotonic() - begun, text))

    def evaluate_alone(self, run: PlannedRun) -> TaskResult:
        """Load the backbone of a run unless it is there, and evaluate it; nothing is recorded.

        Raises:
            Exception: whatever the run fails of.
        """
        self._make_ready(run)
        try:
            with self._threads():
                return self._evaluate(run)
        except Exception:
            self._backbone = None  # who knows what was done to it
            raise

    def _make_ready(self, run: PlannedRun) -> bool:
        """Load the backbone of a run unless it is there; return whether it was loaded now.

        An error is kept for all runs of the same weights.
        """
        begun = time.monotonic()
        if self._weights != weights_of(run):
            self._weights, self._backbone, self._unloadable = weights_of(run), None, None
        if self._backbone is not None or self._unloadable is not None:
            return False
        name, seed = run.spec.backbone["name"], run.spec.seed
        self.tell(Event("loading", run.key, text=f"making {name} ready (seed {seed})"))
        try:
            self._backbone = self._load(run)
        except RanksEnded:
            raise
        except Exception as error:
            self._unloadable = error
            return False
        self.tell(Event("loaded", run.key, time.monotonic() - begun))
        LOG.info("backbone loaded in %.1f s", time.monotonic() - begun)
        return True

    def _evaluate(self, run: PlannedRun) -> TaskResult:
        """Evaluate the backbone that is ready.

        Raises:
            Exception: whatever the run fails of, or the loading before it.
        """
        if self._unloadable is not None:
            raise self._unloadable
        backbone = self._backbone
        assert backbone is not None, "it was loaded, or could not be"
        peak_memory.restart(self.device)
        with unchanged(backbone, run.spec.task):
            return self._run_task(backbone, run)

    def _threads(self) -> AbstractContextManager[None]:
        """Compute with the threads of the suite, or those that suit the backbone that is ready."""
        if self._backbone is None:
            return nullcontext()
        return threads(self.plan.suite.threads or usual_threads(self._backbone.parameters))

    def peak(self) -> dict[str, float]:
        """Return the most memory that the last run took; see :mod:`prior_bench.engine.peak_memory`."""
        return peak_memory.peak(self.device)

    def load_context(self) -> LoadContext:
        """Return how backbones are loaded."""
        suite = self.plan.suite
        how = suite.threads, suite.deterministic, self.gpus
        return LoadContext(self.device, paths.results_root() / "pretrain", self.workers, *how)

    def _load(self, run: PlannedRun) -> Backbone:
        name, seed = run.spec.backbone["name"], run.spec.seed
        seed_everything(seed)
        backbone = self.plan.sources[name].load(seed, self.load_context())
        require_encoder(backbone.image_encoder, name)
        return backbone

    def _run_task(self, backbone: Backbone, run: PlannedRun) -> TaskResult:
        spec = run.spec
        context = RunContext(
            fraction=spec.fraction,
            seed=spec.seed,
            shots=spec.shots,
            work_dir=self.store.work_dir(run.key),
            cache_dir=paths.cache_root(),
            device=self.device,
            workers=self.workers,
            rehearsal=self._rehearsal,
        )
        data = self.plan.data_sets.open(spec.data, spec.protocol, spec.seed)
        # each run starts from its own seed, so that it does not matter which ones went before it
        seed_everything(spec.seed)
        result = TASKS.get(spec.task)().run(backbone, data, from_dict(spec.protocol), context)
        for name in SCORES:  # whatever the task is
            if (scores := result.predictions.get(name)) is not None and scores.dtype.kind == "f":
                require_finite_scores(scores, f"values of '{name}'", f"task '{spec.task}'")
        return result

    def _record(self, run: PlannedRun, backbone: Backbone, result: TaskResult, seconds: float) -> None:
        record = RunRecord(
            key=run.key,
            status="done",
            spec=run.spec.to_dict(),
            metrics=result.metrics,
            trivial=result.trivial,
            history=result.history,
            split=result.split,
            undefined=result.undefined,
            about=plain_data(TASKS.get(run.spec.task), [*result.metrics, *result.undefined]),
            provenance={
                **self._provenance(run, seconds),
                "backbone": backbone.provenance,
                **_network(backbone),
                **_rehearsed(self._rehearsal),
            },
            synthetic=self._synthetic(run.spec),
        )
        self._save(record, result.predictions)

    def _record_failure(self, run: PlannedRun, error: Exception, seconds: float) -> None:
        record = RunRecord(
            key=run.key,
            status="failed",
            spec=run.spec.to_dict(),
            error=_message(error),
            provenance=self._provenance(run, seconds),
            synthetic=self._synthetic(run.spec),
        )
        self._save(record, traceback="".join(traceback.format_exception(error)))

    def _save(self, record: RunRecord, predictions: Any = None, traceback: str = "") -> None:
        self.store.save(record, predictions, traceback)

    def _synthetic(self, spec: RunSpec) -> bool:
        return self.plan.data_sets.open(spec.data, spec.protocol, spec.seed).synthetic

    def _provenance(self, run: PlannedRun, seconds: float) -> dict[str, Any]:
        return {
            **provenance(self.device),
            **({"binding": self.binding} if self.binding else {}),
            **self.shared_by(run),
            "identity": run.identity,
            "data_fingerprint": self.plan.data_sets.fingerprint(
                run.spec.data, run.spec.protocol, run.spec.seed
            ),
            "declared_versions": run.versions,
            "code_version": task_source(run.spec.task),
            **({"leakage": list(run.leaks)} if run.leaks else {}),
            "wall_seconds": round(seconds, 3),
            "peak_gib": self.peak(),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
        }


def _message(error: Exception) -> str:
    return str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"


def _primary(run: PlannedRun, result: TaskResult) -> str:
    """The value of the protocol's first metric, or of the first metric that has a value."""
    names = (*run.spec.protocol["metrics"], *result.metrics)[:1]
    return "".join(f"{name} {result.metrics[name]:.3f}  " for name in names if name in result.metrics)


def _network(backbone: Backbone) -> dict[str, Any]:
    """Input and size of the image encoder; nothing if only stored vectors exist."""
    if backbone.stored is not None:
        return {}
    return {"input": backbone.input.to_dict(), "parameters": backbone.parameters}


def _rehearsed(rehearsal: Rehearsal | None) -> dict[str, Any]:
    """What a rehearsal measured; nothing for a real run."""
    if rehearsal is None:
        return {}
    work = [measured.to_dict() for measured in rehearsal.measured]
    return {"rehearsal": {"factor": rehearsal.size.factor, "batch": rehearsal.size.batch, "work": work}}
