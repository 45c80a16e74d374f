"""The type of a registered gallery of example images (entry points ``prior_bench.galleries``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prior_bench.report.html.galleries.examples import ComparedRuns, Example


@dataclass(frozen=True)
class Maker:
    """The maker of a gallery; tasks name their galleries in ``Task.galleries``.

    Attributes:
        title: title of the gallery.
        legend: explanation of the pictures.
        make: function from runs to examples.
        optional: whether to omit the gallery if records lack the data for it.
    """

    title: str
    legend: str
    make: Callable[[ComparedRuns], list[Example]]
    optional: bool = False

    def __call__(self, runs: ComparedRuns) -> list[Example]:
        """Return the examples of some runs."""
        return self.make(runs)
