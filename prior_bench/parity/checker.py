"""Who can check which fixture: families of checkers, found through entry points.

A family is an entry point of group ``prior_bench.parity``, named as the folder of its fixtures: a function
without arguments that returns ``{fixture name: Checker}``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from prior_bench.parity.fixture import FixtureCase
from prior_bench.registry import LazyRegistry

FAMILIES = LazyRegistry("family of parity checkers", "prior_bench.parity")
"""Functions ``() -> dict[str, Checker]``."""


@dataclass(frozen=True)
class Checker:
    """How one fixture is computed by us.

    Attributes:
        compute: from a case to everything stored, by name (``out.…``, ``grad.…``).
        float32, float64: relative tolerances other than the usual, by pattern of the name; the last wins.
        zeros: patterns of ``grad.….bias`` that are 0 in exact arithmetic, so that only rounding is stored:
            measured against the gradient of the ``.weight`` next to them.
    """

    compute: Callable[[FixtureCase], dict[str, Tensor]]
    float32: dict[str, float] = field(default_factory=dict)
    float64: dict[str, float] = field(default_factory=dict)
    zeros: tuple[str, ...] = ()


def find_checker(family: str, name: str) -> Checker | None:
    """The checker of a fixture, or None where nobody registered one."""
    if family not in FAMILIES.names():
        return None
    return FAMILIES.get(family)().get(name)
