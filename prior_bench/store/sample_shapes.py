"""Check that stored arrays are shaped as predictions are: by sample, by example, or by box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from prior_bench.errors import BenchError

if TYPE_CHECKING:
    import numpy as np

PREFIXES = ("flat_", "truth_", "example_", "meta_")
"""Prefixes of arrays that have no row per test sample."""


def check_samples(arrays: Mapping[str, np.ndarray]) -> None:
    """Check that arrays are shaped as predictions are (:class:`prior_bench.api.TaskResult`).

    Raises:
        BenchError: arrays by sample differ in length, an array by example or by box differs from the array
            that gives its rows, or such a row is not there.
    """
    if not arrays:
        return
    alone = {name: array for name, array in arrays.items() if not name.startswith(PREFIXES)}
    samples = {name: len(array) if array.ndim else -1 for name, array in alone.items()}
    _check_lengths(samples, "test samples")
    count = next(iter(samples.values()), 0)
    for prefix, rows in (("example_", "example_row"), ("flat_", "flat_sample"), ("truth_", "truth_sample")):
        group = {name: array for name, array in arrays.items() if name.startswith(prefix)}
        _check_lengths({name: len(array) if array.ndim else -1 for name, array in group.items()}, rows)
        if rows in group:
            places = group[rows]
            if (
                places.ndim != 1
                or places.dtype.kind not in "iu"
                or (len(places) and not (0 <= places.min() and places.max() < count))
            ):
                raise BenchError(f"'{rows}' names rows that the {count} test samples do not have")
    for name in ("id", "patient_id"):
        if name in arrays and (arrays[name].ndim != 1 or arrays[name].dtype.kind not in "US"):
            raise BenchError(f"'{name}' is no list of names")


def _check_lengths(lengths: Mapping[str, int], what: str) -> None:
    first = next(iter(lengths), "")
    for name, length in lengths.items():
        if length < 0 or length != lengths[first]:
            raise BenchError(
                f"'{name}' has {max(length, 0)} rows, '{first}' {max(lengths[first], 0)} ({what})"
            )
