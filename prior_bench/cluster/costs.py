"""How long a cell takes: as long as cells of the same kind took, here or projected by a rehearsal."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import mean
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.public.rehearsals import projected
from prior_bench.store.store import Store
from prior_bench.suites.plan import PlannedRun

ASSUMED = 1000.0
"""Images per second of a GPU in a rehearsal's projection, an assumption (docs/rehearsal.md)."""


class Costs:
    """Seconds per cell, from what is recorded.

    Args:
        store: of the suite.
        called: how commands name the suite, for its rehearsal.
    """

    def __init__(self, store: Store, called: str = ""):
        self._seconds: dict[tuple[str, ...], list[float]] = {}
        for record in store.records().values():
            seconds = record.provenance.get("wall_seconds")
            if record.status == "done" and seconds:
                self._note(record.spec, seconds)
        if called:
            for spec, seconds in _rehearsed(called):
                if _kinds(spec)[-1] not in self._seconds:
                    self._note(spec, seconds)

    def seconds(self, run: PlannedRun) -> float | None:
        """Return the mean of the cells that are most like this one; None if no cell of its task is known."""
        for kind in _kinds(run.spec.to_dict()):
            if kind in self._seconds:
                return mean(self._seconds[kind])
        return None

    def _note(self, spec: dict[str, Any], seconds: float) -> None:
        for kind in _kinds(spec):
            self._seconds.setdefault(kind, []).append(seconds)


def _kinds(spec: dict[str, Any]) -> list[tuple[str, ...]]:
    """Kinds of cells that a cell belongs to, the narrowest first."""
    task, protocol, data = spec["task"], spec["protocol"]["name"], spec["data"]["name"]
    amount = f"{spec['fraction']} {spec.get('shots')}"
    return [(task, protocol, data, amount), (task, protocol, data), (task, protocol), (task,)]


def _rehearsed(called: str) -> Iterable[tuple[dict[str, Any], float]]:
    try:
        projection = projected(called, ASSUMED)
    except BenchError:
        return []
    return [(cell.record.spec, cell.gpu) for cell in projection.cells]
