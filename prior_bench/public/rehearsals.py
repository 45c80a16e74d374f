"""Projections of the rehearsals that are stored."""

from __future__ import annotations

from dataclasses import replace

from prior_bench import paths
from prior_bench.errors import BenchError
from prior_bench.registry import TASKS
from prior_bench.report.projection import Projection, project
from prior_bench.store.store import Store
from prior_bench.suites.rehearse import SCALE, rehearsal_of, seeds_counted
from prior_bench.suites.suite import Suite, fractions_of, load_suite, shots_of


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
    found = project((store.get(cell["key"]) for cell in cells), seeds_counted(suite), images_per_second)
    return replace(found, missing=found.missing + max(0, cells_of(suite) - len(cells)))


def cells_of(suite: Suite) -> int:
    """Return the number of cells of a rehearsal that can be run; a plan made with filters has fewer."""
    count = 0
    for entry in suite.evaluations:
        rows = [row for row in suite.backbones if row["name"] in entry["backbones"]]
        if getattr(TASKS.get(entry["task"]), "needs_text", False):
            rows = [row for row in rows if "config" in row]
        count += len(rows) * (len(fractions_of(entry)) + len(shots_of(entry)))
    return count


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
