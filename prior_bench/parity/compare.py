"""Compare our values with stored ones, quantity by quantity, in both precisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

import torch
from torch import Tensor

from prior_bench.errors import BenchError
from prior_bench.parity.checker import Checker, find_checker
from prior_bench.parity.fixture import Fixture, FixtureCase, load

DTYPES = (torch.float32, torch.float64)
TOLERANCES = {
    (torch.float32, "out"): (1e-5, 1e-6),
    (torch.float32, "grad"): (1e-4, 1e-7),
    (torch.float64, "out"): (1e-9, 1e-12),
    (torch.float64, "grad"): (1e-9, 1e-12),
}
"""Tolerances by precision and kind: relative to max|reference|, and absolute for references near 0."""


@dataclass(frozen=True)
class Error:
    """The error of one quantity in one precision.

    Attributes:
        value: max|ours - stored| / max|stored|. The denominator is at least absolute / relative tolerance, so
            that ``value <= tolerance`` decides. Infinite if our value is missing or has another shape.
        tolerance: largest error that passes; 0 for integers, which must be equal.
    """

    value: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether the error is within the tolerance (NaN is not)."""
        return self.value <= self.tolerance


@dataclass
class FixtureOutcome:
    """The outcome of one fixture.

    Attributes:
        fixture: ``family/name``.
        problem: reason why nothing was compared, or "".
        unknown: whether no checker is registered.
        errors: errors by quantity, then by precision.
    """

    fixture: str
    problem: str = ""
    unknown: bool = False
    errors: dict[str, dict[torch.dtype, Error]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether a quantity is wrong, or could not be computed although there is a checker."""
        off = any(not error.passed for row in self.errors.values() for error in row.values())
        return off or (bool(self.problem) and not self.unknown)


def check_fixture(path: Path) -> FixtureOutcome:
    """Check the fixture of a JSON file with its registered checker."""
    label = f"{path.parent.name}/{path.stem}"
    checker = find_checker(path.parent.name, path.stem)
    if checker is None:
        return FixtureOutcome(label, "no checker registered", unknown=True)
    try:
        return FixtureOutcome(label, errors=_errors(load(path), checker))
    except BenchError as error:
        return FixtureOutcome(label, str(error))
    except Exception as error:  # a malformed fixture must not hide the outcome of the others
        return FixtureOutcome(label, f"checker stopped: {type(error).__name__}: {error}")


def _errors(fixture: Fixture, checker: Checker) -> dict[str, dict[torch.dtype, Error]]:
    errors: dict[str, dict[torch.dtype, Error]] = {}
    for dtype in DTYPES:
        stored = fixture.references(dtype)
        if not stored:
            continue
        with _threads(4):
            ours = checker.compute(FixtureCase(fixture, dtype))
        special = checker.float32 if dtype == torch.float32 else checker.float64
        for name, reference in stored.items():
            relative, absolute = TOLERANCES[dtype, name.split(".")[0]]
            for pattern, tolerance in special.items():
                relative = tolerance if fnmatch(name, pattern) else relative
            yardstick = reference
            if any(fnmatch(name, pattern) for pattern in checker.zeros):
                yardstick = stored.get(name.removesuffix("bias") + "weight", reference)
            error = _error(ours.get(name), reference, yardstick, relative, absolute)
            errors.setdefault(name, {})[dtype] = error
    return errors


@contextmanager
def _threads(least: int) -> Iterator[None]:
    """Use at least ``least`` threads: a single thread loses a digit when it sums a map in float32."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(before, least))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _error(ours: Tensor | None, stored: Tensor, yardstick: Tensor, relative: float, absolute: float) -> Error:
    exact = not stored.is_floating_point()
    tolerance = 0.0 if exact else relative
    if ours is None or ours.shape != stored.shape:
        return Error(float("inf"), tolerance)
    ours, stored = ours.detach().double(), stored.double()
    if not stored.numel():
        return Error(0.0, tolerance)
    difference = float((ours - stored).abs().max())
    scale = 1.0 if exact else max(float(yardstick.abs().max()), absolute / relative)
    return Error(difference / scale, tolerance)
