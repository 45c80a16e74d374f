"""Find the runs of a store, from the stored plan of its suite or from its records alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from prior_bench import paths
from prior_bench.api import RunRecord
from prior_bench.data.generated import generator_of
from prior_bench.store.cells import identity
from prior_bench.store.store import Store

EVERY_SUITE = "*"
"""Name that stands for all stores under the results root."""


@dataclass(frozen=True)
class ReportedRun:
    """A run in a report: its spec, and its record or the reason why there is none.

    Attributes:
        spec: the RunSpec as plain types.
        key: key of the record; empty if it is unknown.
        reason: ``""``, ``"not run"``, or the plan's reason.
        record: the record of a finished or failed run, or None.
        store: store with the record.
    """

    spec: dict[str, Any]
    key: str
    reason: str = ""
    record: RunRecord | None = None
    store: Store | None = field(default=None, compare=False)


@dataclass(frozen=True)
class FinishedRun(ReportedRun):
    """A finished run, which always has a record and a store."""

    record: RunRecord = None  # type: ignore[assignment]
    store: Store = field(default=None, compare=False)  # type: ignore[assignment]

    @cached_property
    def name(self) -> tuple[str, str]:
        """Root of the store and key, which no other run has."""
        return str(self.store.root), self.key


def run_of(
    spec: dict[str, Any], key: str, reason: str, record: RunRecord | None, store: Store
) -> ReportedRun:
    """Return a run with its record in the store, if any."""
    if record is not None and record.status == "done":
        return FinishedRun(spec, key, reason, record, store)
    return ReportedRun(spec, key, reason, record, store)


def finished_runs(runs: Iterable[ReportedRun]) -> list[FinishedRun]:
    """Return the finished runs."""
    return [run for run in runs if isinstance(run, FinishedRun)]


def stores_of(suites: Iterable[str]) -> list[Store]:
    """Return the stores of some suites, each once; :data:`EVERY_SUITE` stands for all suites."""
    names: list[str] = []
    for suite in suites:
        names += _all_suites() if suite == EVERY_SUITE else [suite]
    return [Store.of(name) for name in dict.fromkeys(names)]


def reported_runs(stores: Iterable[Store]) -> list[ReportedRun]:
    """Return all runs of some stores, in the order of their plans.

    For a store without a plan, the newest record of each spec is returned (others are from older code).
    """
    found: list[ReportedRun] = []
    for store in stores:
        records = store.records()
        plan = store.plan()
        if plan:
            for cell in plan:
                record, reason = records.get(cell["key"]), cell["reason"]
                if record is not None and not _of_same_run(record.spec, cell["spec"]):
                    record, reason = None, "the record under its key is of another run"
                reason = reason or ("" if record else "not run")
                found.append(run_of(cell["spec"], cell["key"], reason, record, store))
        else:
            newest: dict[tuple, RunRecord] = {}
            for record in sorted(records.values(), key=_finished):
                newest[identity(record.spec)] = record
            ordered = sorted(newest.values(), key=lambda r: (r.spec["backbone"]["name"], r.spec["seed"]))
            found += [run_of(r.spec, r.key, "", r, store) for r in ordered]
    return found


def primary_metric(spec: dict[str, Any]) -> str:
    """Return the first metric of a run's protocol from its spec (plain types); empty if there is none."""
    return (*spec["protocol"]["metrics"], "")[0]


def same_data(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two resolved data references mean the same data set, wherever it is on disk."""

    def essence(data: dict[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in data.items() if name != "root"}
        return {**rest, "generator": generator_of(data.get("root", ""))}

    return essence(one) == essence(other)


def _of_same_run(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two specs may have one key. The names of the row and of the data set are not in a key."""
    return [*identity(one)[1:2], *identity(one)[3:]] == [*identity(other)[1:2], *identity(other)[3:]]


def _all_suites() -> list[str]:
    return sorted(path.parent.name for path in paths.results_root().glob("*/runs") if path.is_dir())


def _finished(record: RunRecord) -> tuple[str, str]:
    return record.provenance.get("finished", ""), record.key
