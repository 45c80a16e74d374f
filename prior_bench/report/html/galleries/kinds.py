"""Make galleries of example images with the stored predictions of each backbone and the truth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from prior_bench.errors import BenchError
from prior_bench.registry import GALLERIES
from prior_bench.report.html.galleries.examples import ComparedRuns, Gallery
from prior_bench.report.html.galleries.maker import Maker
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting


def galleries(entries: list[FinishedRun]) -> list[Gallery]:
    """Return the galleries of an evaluation that its task names."""
    spec = entries[0].spec
    opened = cache(lambda: ComparedRuns(entries))  # opening a data set takes a while
    kinds = described(spec["task"], entries).galleries
    made = [_gallery(kind, GALLERIES.get(kind), spec["data"]["name"], opened) for kind in kinds]
    return [gallery for gallery in made if gallery is not None]


def _gallery(kind: str, maker: Maker, data: str, opened: Callable[[], ComparedRuns]) -> Gallery | None:
    found = Gallery(kind, f"{maker.title}: {data}", maker.legend)
    try:
        with fitting(data):
            found.examples = maker(opened())
    except BenchError as error:
        if maker.optional:
            return None
        found.problem = f"No examples can be shown: {error}"
    return found if found.examples or not maker.optional else None
