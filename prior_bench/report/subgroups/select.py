"""Find the runs whose groups are compared, by the names of suites and runs."""

from __future__ import annotations

from collections.abc import Iterable

from prior_bench.errors import BenchError
from prior_bench.report.runs.find_run import find_run, find_store
from prior_bench.report.runs.reported_runs import FinishedRun, finished_runs, reported_runs
from prior_bench.report.runs.selection import evaluations_of, most_labels


def runs_of(names: Iterable[str]) -> list[FinishedRun]:
    """Return the finished runs that are meant: of a store, those with the most labels of each evaluation.

    Args:
        names: suites (or folders of stores), keys of runs, prefixes of keys, or ``SUITE/KEY``.

    Raises:
        BenchError: a name is neither a store nor a run, a run failed, or a store has no finished run.
    """
    found: list[FinishedRun] = []
    for name in names:
        if (store := find_store(name)) is not None:
            done = finished_runs(reported_runs([store]))
            if not done:
                raise BenchError("there is no finished run", where=store.root, fix=f"prior-bench run {name}")
            found += [run for runs in evaluations_of(done) for run in most_labels(runs)]
            continue
        run = find_run(name)
        if not isinstance(run, FinishedRun):
            raise BenchError("failed, so there is nothing to measure", where=f"run {run.key}")
        found.append(run)
    return list({(run.store.root, run.key): run for run in found}.values())
