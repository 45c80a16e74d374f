"""Elapsed time and estimated remaining time of a series of runs."""

from __future__ import annotations

import time
from statistics import mean

from prior_bench.store.store import Store
from prior_bench.suites.plan import PlannedRun


class Clock:
    """Elapsed time, and an estimate of what remains from the time that earlier runs took, by task.

    Args:
        store: its records tell how long runs took in earlier passes.
        jobs: how many runs are in progress at once.
    """

    def __init__(self, store: Store, jobs: int = 1):
        self.jobs = jobs
        self.seconds: dict[str, list[float]] = {}
        self.loading: list[float] = []
        for record in store.records().values():
            if record.status == "done" and (seconds := record.provenance.get("wall_seconds")):
                self.seconds.setdefault(record.spec["task"], []).append(seconds)

    def start(self, waiting: list[PlannedRun]) -> None:
        """Start the clock; the runs of ``waiting`` follow in this order."""
        self.begun, self.waiting, self.total = time.monotonic(), list(waiting), len(waiting)

    def loaded(self, seconds: float) -> None:
        """Note how long it took to load a backbone."""
        self.loading.append(seconds)

    def line(self, run: PlannedRun, seconds: float, result: str, *, ours: bool = True) -> str:
        """Progress after a run has ended; one that is not ``ours`` is left out of estimates."""
        self.waiting.remove(run)
        if ours:
            self.seconds.setdefault(run.spec.task, []).append(seconds)
        every = [s for values in self.seconds.values() for s in values]
        remaining = sum(mean(self.seconds.get(r.spec.task, every) or [0]) for r in self.waiting)
        to_load = {_weights(r) for r in self.waiting} - {_weights(run)}
        remaining += len(to_load) * mean(self.loading or [0])
        remaining /= self.jobs
        count = f"[{self.total - len(self.waiting)}/{self.total}]"
        times = f"{seconds:.1f} s; {minutes(time.monotonic() - self.begun)} elapsed"
        left = f", about {minutes(remaining)} left" if self.waiting else ""
        return f"{count} {run.label}: {result}({times}{left})"


def _weights(run: PlannedRun) -> tuple[str, str]:
    return run.spec.backbone["name"], run.identity


def minutes(seconds: float) -> str:
    """Return a time as ``minutes:seconds``, with hours where there are any."""
    whole, rest = divmod(round(seconds), 60)
    hours, whole = divmod(whole, 60)
    return f"{hours}:{whole:02d}:{rest:02d}" if hours else f"{whole}:{rest:02d}"
