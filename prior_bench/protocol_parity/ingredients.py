"""The ingredients of a protocol: what a paper's code does in a task, part by part, and how ours is computed.

Each task lists its ingredients under an entry point of the group ``prior_bench.ingredients`` with the name
of the task: a function without arguments that returns ``{name of the ingredient: Ingredient}``. A fixture of
the official code states the inputs (``given``) and what came out (``expected``); ``compute`` does the same
with our implementation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from prior_bench import paths
from prior_bench.api import Protocol
from prior_bench.errors import unknown_name
from prior_bench.registry import LazyRegistry
from prior_bench.suites.suite import Suite, load_suite

Values = dict[str, Any]
"""Quantities by name: numbers, words, or nested lists of them."""

TASK_INGREDIENTS = LazyRegistry("task with ingredients", "prior_bench.ingredients")
"""Ingredients by task: functions ``() -> dict[str, Ingredient]``."""


@dataclass(frozen=True)
class Ingredient:
    """One part of a protocol.

    Attributes:
        meaning: what belongs to it, for readers of the documents.
        compute: from a protocol and the inputs of a fixture to the quantities that our implementation
            gives; None if nothing computes it yet.
    """

    meaning: str
    compute: Callable[[Protocol, Values], Values] | None = None


def suite_of(given: Values) -> Suite:
    """Load the shipped suite that a fixture names in its inputs.

    Raises:
        BenchError: it is not shipped; a path would be code, which is not run because a file names it.
    """
    name, known = given["suite"], paths.shipped_names("suites")
    if name not in known:
        raise unknown_name("suite", str(name), known, where="given.suite")
    return load_suite(name)


def ingredients_of(task: str) -> dict[str, Ingredient]:
    """Return the ingredients of a task in their order; empty for a task that lists none."""
    if task not in TASK_INGREDIENTS.names():
        return {}
    listed: dict[str, Ingredient] = TASK_INGREDIENTS.get(task)()
    return listed
