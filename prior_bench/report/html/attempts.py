"""Make the parts of a page one by one: damaged results cost the part that shows them, and not the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from prior_bench.errors import BenchError
from prior_bench.report.html.wording import evaluation_title
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting

Made = TypeVar("Made")
Runs = list[FinishedRun]


class Attempts:
    """What could not be made.

    Attributes:
        problems: (part of the page, reason) of each.
    """

    def __init__(self) -> None:
        self.problems: list[tuple[str, str]] = []

    def one(self, what: str, make: Callable[[], Made], otherwise: Made) -> Made:
        """Return what ``make`` returns, or ``otherwise`` if stored results do not allow it.

        Args:
            what: name of the part.
            make: makes it.
            otherwise: stands for it.
        """
        try:
            with fitting(what, "cannot be made of the stored results"):
                return make()
        except BenchError as error:
            self.problems.append((what, error.what))
            return otherwise

    def each(self, what: str, make: Callable[[Runs], Made | None], evaluations: Iterable[Runs]) -> list[Made]:
        """Return the parts of all evaluations that have one.

        Args:
            what: name of the parts.
            make: makes the part of an evaluation; None if it has none.
            evaluations: finished runs by evaluation.
        """
        found = []
        for runs in evaluations:
            made = self.one(f"{what}, {evaluation_title(runs[0].spec)}", partial(make, runs), None)
            if made is not None:
                found.append(made)
        return found
