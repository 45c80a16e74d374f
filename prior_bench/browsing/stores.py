"""What the pages about stores show: their runs, and the files beside them that a browser may open."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from prior_bench.errors import BenchError
from prior_bench.io.bounded import is_own_file
from prior_bench.report.runs.reported_runs import FinishedRun, ReportedRun, primary_metric, reported_runs
from prior_bench.store.cells import describe
from prior_bench.store.store import Store

REPORT = "report.html"


@dataclass(frozen=True)
class StoreLine:
    """A store in the list of stores: its name, its numbers of runs, and whether it has a report."""

    name: str
    done: int
    failed: int
    open: int
    newest: str
    has_report: bool


@dataclass(frozen=True)
class RunLine:
    """A run in the list of runs of a store; ``key`` is empty if there is no record to show."""

    what: str
    key: str
    state: str
    metric: str
    value: float | None
    seconds: float | None


def store_names(root: Path) -> list[str]:
    """Names of the folders under a results root that are stores; links are not followed."""
    found = (runs for runs in root.glob("*/runs") if runs.is_dir())
    return sorted(p.parent.name for p in found if not p.is_symlink() and not p.parent.is_symlink())


def store_named(root: Path, name: str) -> Store:
    """Return the store of this name under a results root.

    Raises:
        BenchError: there is none.
    """
    if name not in store_names(root):
        raise BenchError(f"no store '{name}'", where=root)
    return Store(root / name)


def run_named(store: Store, key: str) -> ReportedRun:
    """Return the run with this key.

    Raises:
        BenchError: the store has no readable record of it.
    """
    for run in reported_runs([store]):
        if run.key == key and run.record is not None:
            return run
    raise BenchError(f"no run '{key}'", where=store.root.name)


def store_line(store: Store) -> StoreLine:
    """Count the runs of a store."""
    runs = reported_runs([store])
    done = sum(isinstance(run, FinishedRun) for run in runs)
    failed = sum(run.record is not None for run in runs) - done
    times = [str(run.record.provenance.get("finished", "")) for run in runs if run.record is not None]
    report = is_own_file(store.root / REPORT)
    return StoreLine(store.root.name, done, failed, len(runs) - done - failed, max(times, default=""), report)


def run_lines(store: Store) -> list[RunLine]:
    """The runs of a store, in the order of its plan."""
    return [run_line(run) for run in reported_runs([store])]


def run_line(run: ReportedRun) -> RunLine:
    """Return the first metric of a run's protocol, or the reason why it has none."""
    metric, value, seconds, state = primary_metric(run.spec), None, None, run.reason or "not run"
    if run.record is not None:
        value = finite(run.record.metrics.get(metric))
        seconds = finite(run.record.provenance.get("wall_seconds"))
        state = run.record.status
    key = run.key if run.record is not None else ""
    return RunLine(describe(run.spec), key, state, metric, value, seconds)


def finite(value: object) -> float | None:
    """Return a finite number as it is, and None for what is none: a record is data."""
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
