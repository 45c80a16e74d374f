"""Checkers of fixtures, in families that entry points provide.

A family is an entry point of the group ``prior_bench.parity`` with the name of its fixtures' folder. It is a
function without arguments that returns ``{fixture name: Checker}``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from prior_bench.parity.fixture import FixtureCase
from prior_bench.registry import LazyRegistry

FAMILIES = LazyRegistry("family of parity checkers", "prior_bench.parity")
"""Families of checkers: functions ``() -> dict[str, Checker]``."""


@dataclass(frozen=True)
class Checker:
    """The computation of one fixture by our implementation.

    Attributes:
        compute: function from a case to all stored quantities by name (``out.…``, ``grad.…``).
        float32, float64: relative tolerances that differ from the default, by pattern of the name; the last
            matching pattern wins.
        zeros: patterns of ``grad.….bias`` that are 0 in exact arithmetic. Only rounding errors are stored for
            them, which are compared with the size of the gradient of the corresponding ``.weight``.
    """

    compute: Callable[[FixtureCase], dict[str, Tensor]]
    float32: dict[str, float] = field(default_factory=dict)
    float64: dict[str, float] = field(default_factory=dict)
    zeros: tuple[str, ...] = ()


def find_checker(family: str, name: str) -> Checker | None:
    """Return the checker of a fixture, or None if none is registered."""
    if family not in FAMILIES.names():
        return None
    return FAMILIES.get(family)().get(name)


def is_fixture(path: Path) -> bool:
    """Whether a JSON file is a fixture: its folder is a family, or holds tensors.

    Other folders hold other numbers, as tests/golden/protocols does.
    """
    return path.parent.name in FAMILIES.names() or any(path.parent.glob("*.safetensors"))
