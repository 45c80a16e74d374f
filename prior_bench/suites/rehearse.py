"""A dress rehearsal of a suite: the real protocols on data of the real size, with a share of the steps.

The suite's cells run through the same plan, engine and store as in a real run. Cells that differ only in
their seed do the same work, so that the first seed stands for all; a projection counts the others.
"""

from __future__ import annotations

from dataclasses import replace

from prior_bench.api import RehearsalSize
from prior_bench.api.rehearsal import FACTOR
from prior_bench.errors import BenchError
from prior_bench.suites.scale import at_scale, load_scale
from prior_bench.suites.suite import Suite

SCALE = "rehearsal"
"""Scale config that says what stands for rows and data sets."""


def rehearsal_of(suite: Suite, factor: float = FACTOR, batch: int | None = None) -> Suite:
    """Return the rehearsal of a suite, with a store of its own.

    Args:
        suite: as its config says.
        factor: share of the steps and of the evaluated images, in (0, 1].
        batch: largest number of images per training step; None for that of the protocol.

    Raises:
        BenchError: the factor is out of range.
        ErrorList: rows or data sets that have no counterpart, as in the suites of the sample benchmark.
    """
    if not 0 < factor <= 1:
        fix = f"give a share in (0, 1], e.g. {FACTOR:g}"
        raise BenchError(f"{factor:g} is no share of the steps", where="--rehearse", fix=fix)
    made = at_scale(suite, load_scale(SCALE))
    given = "" if factor == FACTOR else f" {factor:g}"
    return replace(made, rehearsal=RehearsalSize(factor, batch), called=f"{suite.name} --rehearse{given}")


def seeds_counted(suite: Suite) -> dict[tuple[str, str, str], int]:
    """Return for how many seeds of the real suite a cell of its rehearsal stands.

    Returns:
        Numbers by task, name of the data set, and name of the protocol.
    """
    pairs = zip(suite.instead_of, suite.evaluations, strict=True)
    return {
        (after["task"], after["data"]["name"], after["protocol"]): len(before["seeds"])
        for before, after in pairs
    }
