"""Data sets that differ in one respect, and what two runs must have in common then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prior_bench.api import RunContext, TaskResult
from prior_bench.data.manifest import Manifest


def reordered(data: Manifest, split: str, columns: tuple[str, ...], seed: int = 0) -> Manifest:
    """The rows of a split exchange what stands in ``columns``; they move together."""
    table = data.table.copy()
    rows = np.flatnonzero(table["split"] == split)
    order = np.random.default_rng(seed).permutation(len(rows))
    for column in columns:
        values = table[column].to_numpy()
        table[column] = _replaced(values, rows, values[rows[order]])
    return replace(data, table=table)


def opposite(data: Manifest, split: str) -> Manifest:
    """The labels of a split, 0 for 1 and 1 for 0."""
    table = data.table.copy()
    rows = table["split"] == split
    for label in data.labels:
        table[label] = np.where(rows, 1 - table[label], table[label])
    return replace(data, table=table)


def without(data: Manifest, split: str, every: int = 3) -> Manifest:
    """Every third row of a split is left out, its first one included."""
    rows = np.flatnonzero(data.table["split"] == split)
    return data.select(~np.isin(np.arange(len(data)), rows[::every]))


def in_folder(context: RunContext, name: str, **changes) -> RunContext:
    """A context that shares nothing with other runs."""
    return replace(context, work_dir=context.work_dir / name, cache_dir=context.cache_dir / name, **changes)


def rows_of(result: TaskResult, ids: np.ndarray) -> np.ndarray:
    """Positions of ``ids`` among the samples of a result."""
    position = {name: i for i, name in enumerate(result.predictions["id"])}
    return np.array([position[name] for name in ids])


def assert_equal(one: TaskResult, other: TaskResult, names: tuple[str, ...]) -> None:
    """Predictions ``names`` are equal to the last bit."""
    for name in names:
        np.testing.assert_array_equal(one.predictions[name], other.predictions[name], err_msg=name)


def assert_history_equal(one: TaskResult, other: TaskResult) -> None:
    """Histories are equal to the last bit and not empty."""
    assert one.history
    np.testing.assert_equal(one.history, other.history)


def _replaced(values: np.ndarray, rows: np.ndarray, new: np.ndarray) -> np.ndarray:
    changed = values.copy()
    changed[rows] = new
    return changed
