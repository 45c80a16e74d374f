"""Stores as they are named in calls of Python."""

from __future__ import annotations

from pathlib import Path

from prior_bench.store.store import Store


def as_store(store: str | Path | Store) -> Store:
    """Return a store by its name under the results root or its folder; a Store is returned unchanged."""
    if isinstance(store, Store):
        return store
    return Store(store) if isinstance(store, Path) else Store.of(store)
