"""The type of a registered gallery of example images (entry points ``prior_bench.galleries``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prior_bench.report.html.galleries.examples import ComparedRuns, Example


@dataclass(frozen=True)
class Maker:
    """How a gallery is made; tasks name theirs in ``Task.galleries``.

    Attributes:
        title: what is shown.
        legend: how to read the pictures.
        make: from the runs to examples.
        optional: whether records may lack what it shows; then there is no gallery.
    """

    title: str
    legend: str
    make: Callable[[ComparedRuns], list[Example]]
    optional: bool = False

    def __call__(self, runs: ComparedRuns) -> list[Example]:
        """The examples of some runs."""
        return self.make(runs)
