"""Projections of the rehearsals that are stored."""

from __future__ import annotations

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.report.projection import Projection, project
from prior_bench.store.store import Store
from prior_bench.suites.rehearse import SCALE, rehearsal_of, seeds_counted
from prior_bench.suites.suite import load_suite


def projected(name: str, images_per_second: float) -> Projection:
    """Return the projection of a suite from its stored rehearsal.

    Args:
        name: a shipped suite, or a config file.
        images_per_second: assumed speed of the GPU (:func:`prior_bench.report.projection.project`).

    Raises:
        BenchError: it was not rehearsed, or cannot be.
    """
    suite = rehearsal_of(load_suite(name))
    store = Store.of(suite.name)
    cells = [cell for cell in store.plan() if not cell["reason"]]
    if not cells:
        fix = f"prior-bench run {name} --rehearse"
        raise BenchError("the suite was not rehearsed", where=store.root, fix=fix)
    return project((store.get(cell["key"]) for cell in cells), seeds_counted(suite), images_per_second)


def rehearsed_suites() -> list[str]:
    """Return the shipped suites with a stored rehearsal.

    Raises:
        BenchError: there is none.
    """
    shipped = sorted(path.stem for path in (paths.shipped("configs") / "suites").glob("*.py"))
    found = [name for name in shipped if Store.of(f"{name}-{SCALE}").plan()]
    if not found:
        fix = "prior-bench run mgca_linear --rehearse"
        raise BenchError("no suite was rehearsed", where=paths.results_root(), fix=fix)
    return found
