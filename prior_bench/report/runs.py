"""Finding a run, or a whole store, by what a user would type."""

from __future__ import annotations

from pathlib import Path

from prior_bench import paths
from prior_bench.engine.store import Store
from prior_bench.errors import BenchError
from prior_bench.report.lookup import EVERY_SUITE, Entry, stores_of


def find_store(name: str) -> Store | None:
    """The store with this name under the results root, or in this folder; None where there is none."""
    for root in (paths.results_root() / name, Path(name)):
        if (root / "runs").is_dir():
            return Store(root)
    return None


def find_run(name: str) -> Entry:
    """A recorded run.

    Args:
        name: its key or the beginning of it, ``SUITE/KEY``, or the run's folder.

    Raises:
        BenchError: no such run, or several.
    """
    folder = Path(name)
    if (folder / "record.json").is_file():
        return _entry(Store(folder.parent.parent), folder.name)
    suite, _, key = name.rpartition("/")
    if suite:
        store = find_store(suite)
        if store is None:
            raise BenchError(f"no store '{suite}'", where=name, fix=f"stores are in {paths.results_root()}")
        stores = [store]
    else:
        stores = stores_of([EVERY_SUITE])
    found = (
        [(store, path.name) for store in stores for path in sorted(store.runs.glob(f"{key}*"))] if key else []
    )
    exact = [pair for pair in found if pair[1] == key]
    found = exact or found
    if len(found) == 1:
        return _entry(*found[0])
    if not found:
        places = ", ".join(str(store.root) for store in stores) or str(paths.results_root())
        raise BenchError(f"no run '{name}' in {places}", fix="a key is printed after every run, and by table")
    listed = ", ".join(f"{store.root.name}/{key}" for store, key in found[:4])
    raise BenchError(f"{len(found)} runs fit '{name}': {listed}", fix="give more of the key, or SUITE/KEY")


def _entry(store: Store, key: str) -> Entry:
    record = store.get(key)
    if record is None:
        raise BenchError("holds no readable record", where=store.runs / key)
    return Entry(record.spec, record.key, "", record, store)
