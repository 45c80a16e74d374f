"""A golden case: a small run, the declared versions that its numbers belong to, and how it is isolated."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

Numbers = dict[str, Any]
"""Names to numbers, texts, lists of these, or further such dicts: what JSON can hold."""

TRAINED = 1e-2
"""Relative tolerance of what a training of some steps gives: rounding of another CPU adds up in it."""


@dataclass(frozen=True)
class Case:
    """One run whose numbers are pinned.

    Attributes:
        name: unique within its kind.
        parts: what its numbers depend on, by the names in ``declared_parts``; the first is the part that the
            case guards.
        numbers: the run; it gets an empty folder.
        rtol: allowed difference of a float, relative to the largest number of its list.
        atol: allowed difference besides, of what stands in a list; a tenth of it for single numbers, which
            are averages. Integers and texts must be equal.
    """

    name: str
    parts: tuple[str, ...]
    numbers: Callable[[Path], Numbers]
    rtol: float = 1e-4
    atol: float = 1e-6

    def run(self) -> Numbers:
        """Its numbers as of now, from one thread, with every root in a temporary folder."""
        with tempfile.TemporaryDirectory() as folder, _isolated(Path(folder)):
            work = Path(folder) / "work"
            work.mkdir()
            return self.numbers(work)


@contextmanager
def _isolated(folder: Path) -> Iterator[None]:
    roots = {f"PRIOR_BENCH_{name}": str(folder / name.lower()) for name in ("DATA", "RESULTS", "CACHE")}
    before, threads = {name: os.environ.get(name) for name in roots}, torch.get_num_threads()
    os.environ.update(roots)
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            yield
    finally:
        torch.set_num_threads(threads)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def summary(values: Any, count: int = 12) -> Numbers:
    """An array as its shape, mean, standard deviation and ``count`` evenly spread values."""
    array = np.asarray(values.detach() if isinstance(values, torch.Tensor) else values)
    flat = array.reshape(-1).astype(np.float64)
    spread = np.linspace(0, flat.size - 1, min(count, flat.size)).round().astype(int)
    return {
        "shape": list(array.shape),
        "type": str(array.dtype),
        "mean": float(flat.mean()),
        "std": float(flat.std()),
        "values": flat[spread].tolist(),
    }
