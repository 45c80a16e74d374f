"""Find a run or a store by the name that a user types."""

from __future__ import annotations

from pathlib import Path

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.report.runs.reported_runs import EVERY_SUITE, ReportedRun, run_of, stores_of
from prior_bench.store.store import Store


def find_store(name: str) -> Store | None:
    """Return the store of this name under the results root, or at this path; None if there is none."""
    for root in (paths.results_root() / name, Path(name)):
        if (root / "runs").is_dir():
            return Store(root)
    return None


def require_store(name: str) -> Store:
    """Return the store of this name or path; raise BenchError if there is none."""
    store = find_store(name)
    if store is None:
        fix = f"stores are in {paths.results_root()}"
        if name.endswith(".py"):
            fix = f"give the name of the suite, as its file states it (name = …); {fix}"
        raise BenchError(f"no store '{name}'", fix=fix)
    return store


def find_run(name: str) -> ReportedRun:
    """Find a recorded run.

    Args:
        name: its key or a prefix of it, ``SUITE/KEY``, or the run's folder.

    Raises:
        BenchError: there is no such run, or several.
    """
    folder = Path(name)
    if (folder / "record.json").is_file():
        return _entry(Store(folder.parent.parent), folder.name)
    suite, _, key = name.rpartition("/")
    stores = [require_store(suite)] if suite else stores_of([EVERY_SUITE])
    keys = [(store, path.name) for store in stores for path in sorted(store.runs.glob("[!.]*"))]
    found = [pair for pair in keys if pair[1] == key]
    if key and not found:
        found = [pair for pair in keys if pair[1].startswith(key)]
    if len(found) == 1:
        return _entry(*found[0])
    if not found:
        places = ", ".join(str(store.root) for store in stores) or str(paths.results_root())
        raise BenchError(f"no run '{name}' in {places}", fix="keys are in a store's runs.log and report")
    listed = ", ".join(f"{store.root.name}/{key}" for store, key in found[:4])
    raise BenchError(f"{len(found)} runs fit '{name}': {listed}", fix="give more of the key, or SUITE/KEY")


def _entry(store: Store, key: str) -> ReportedRun:
    record = store.get(key)
    if record is None:
        raise BenchError("there is no readable record", where=store.runs / key)
    return run_of(record.spec, record.key, "", record, store)
