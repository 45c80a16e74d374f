"""Collect the content of a suite's report and fill the page template."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from prior_bench.errors import BenchError
from prior_bench.escaping.page import environment
from prior_bench.report.html.figures.row_look import colours_of, swatch
from prior_bench.report.html.galleries.examples import Gallery
from prior_bench.report.html.galleries.kinds import galleries
from prior_bench.report.html.sections.cost import cost_table, machines
from prior_bench.report.html.sections.embedding_map import embedding_map
from prior_bench.report.html.sections.label_efficiency import label_efficiency, shot_curve
from prior_bench.report.html.sections.monitoring import monitoring
from prior_bench.report.html.sections.partners import partner_tables
from prior_bench.report.html.sections.prototypes import prototype_tables
from prior_bench.report.html.sections.ranks import rank_section
from prior_bench.report.html.sections.robustness import robustness
from prior_bench.report.html.sections.score_sections import score_sections
from prior_bench.report.html.sections.subgroups import subgroups
from prior_bench.report.html.sections.training import pretraining, training
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.reported_runs import FinishedRun, ReportedRun, finished_runs, reported_runs
from prior_bench.report.runs.run_text import inline
from prior_bench.report.runs.selection import evaluations_of, one_per_backbone
from prior_bench.report.tables.render import html_table
from prior_bench.report.tables.suite_tables import table_of, tables_of
from prior_bench.report.tables.table import build_table
from prior_bench.runtime import progress
from prior_bench.store.provenance import command
from prior_bench.store.store import Store
from prior_bench.suites.plan import describe
from prior_bench.suites.suite import Suite

TEMPLATE = "page.html.j2"
Made = TypeVar("Made")


def build_page(suite: Suite, store: Store) -> str:
    """Return the report of a suite as one HTML text.

    Raises:
        BenchError: there is no finished run, or the suite's table config cannot be used.
    """
    found = reported_runs([store])
    done = finished_runs(found)
    if not done:
        raise BenchError("there is no finished run", where=store.root, fix=f"prior-bench run {suite.called}")
    templates = environment(Path(__file__).parent / "templates")
    templates.filters["inline"] = inline
    return templates.get_template(TEMPLATE).render(**context(suite, store, found, done))


def context(suite: Suite, store: Store, found: list[ReportedRun], done: list[FinishedRun]) -> dict[str, Any]:
    """Return the values that the template uses."""
    names = list(dict.fromkeys(entry.spec["backbone"]["name"] for entry in found))
    colours = colours_of(names)
    evaluations = evaluations_of(done)
    side_by_side = [one_per_backbone(runs) for runs in evaluations]
    examples = [made for runs in progress(side_by_side, "example images") for made in galleries(runs)]
    maps = [embedding_map(runs) for runs in progress(side_by_side, "embedding maps")]
    watched = monitoring(done, colours)
    trained = [pretraining(done, colours), *watched.plots]
    trained += [plot for runs in evaluations for plot in training(runs, colours)]
    together = table_of(suite, found)
    tables = [build_table(config, [store], trivial=True) for config in tables_of(suite) or [together]]
    ranked = tables[0] if len(tables) == 1 else build_table(together, [store], test=False)
    newest = max(done, key=lambda e: e.record.provenance.get("finished", ""))
    return {
        "title": suite.title or suite.name,
        "suite": suite.name,
        "synthetic": any(e.record.synthetic for e in done),
        "date": datetime.now().astimezone().strftime("%-d %B %Y, %H:%M %Z"),
        "command": command(),
        "names": names,
        "counts": {"cells": len(found), "done": len(done)},
        "tables": [(table.title, html_table(table, caption=False), table.notes) for table in tables],
        "ranks": rank_section(ranked),
        "swatches": {name: swatch(name, colours) for name in names},
        "efficiency": _made(
            curve(runs, colours) for runs in evaluations for curve in (label_efficiency, shot_curve)
        ),
        "scores": score_sections(evaluations, colours),
        "subgroups": subgroups(evaluations),
        "robustness": _made(robustness(runs, colours) for runs in evaluations),
        "maps": _made(maps),
        "galleries": _ordered(examples),
        "partners": [made for runs in side_by_side for made in partner_tables(runs)],
        "prototypes": [made for runs in side_by_side for made in prototype_tables(runs)],
        "training": _made(trained),
        "monitoring": watched,
        "cost": cost_table(done, names),
        "machines": machines(done),
        "gaps": [(describe(e.spec), _gap(e)) for e in found if _gap(e)],
        "protocols": list({e.spec["protocol"]["name"]: e.spec["protocol"] for e in found}.values()),
        "provenance": newest.record.provenance,
        "commands": list(dict.fromkeys(e.record.provenance.get("command", "") for e in done)),
        "backbones": backbones_of(done),
        "regenerate": regenerate(suite, newest),
        "runs": runs_table(done),
        "seconds": sum(e.record.provenance.get("wall_seconds") or 0 for e in done),
        "store": store.root.name,
    }


def backbones_of(done: list[FinishedRun]) -> dict[str, dict[str, Any]]:
    """Return the origin of the weights of every row and seed."""
    found: dict[str, dict[str, Any]] = {}
    for entry in done:
        label = f"{entry.spec['backbone']['name']}, seed {entry.spec['seed']}"
        provenance = entry.record.provenance
        about = {k: v for k, v in provenance.get("backbone", {}).items() if k != "history"}
        found.setdefault(label, {"identity": provenance.get("identity", ""), **about})
    return found


def runs_table(done: list[FinishedRun]) -> SortableTable:
    """Return a table of every finished run with its record and time."""
    table = SortableTable(
        "Finished runs. prior-bench show KEY prints everything about one.", ["Run", "Record", "Seconds"]
    )
    for entry in done:
        seconds = entry.record.provenance.get("wall_seconds") or 0.0
        table.rows.append([words(describe(entry.spec)), words(entry.key), number(seconds)])
    return table


def regenerate(suite: Suite, newest: FinishedRun) -> list[str]:
    """Return the commands that make records and page again, from the revision of the newest record."""
    revision = newest.record.provenance.get("git", {}).get("revision")
    name = " ".join(map(shlex.quote, suite.called.split()))
    first = [f"git checkout {revision}", "pip install -e ."] if revision else []
    if newest.record.provenance.get("git", {}).get("dirty"):
        first.insert(1, "# the records were made with uncommitted changes to this revision")
    return [*first, f"prior-bench run {name}", f"prior-bench report {name}"]


def _made(parts: Iterable[Made | None]) -> list[Made]:
    """Return the parts that are not None."""
    return [part for part in parts if part is not None]


def _ordered(found: list[Gallery]) -> list[Gallery]:
    order = list(dict.fromkeys(gallery.kind for gallery in found))  # galleries of a kind are adjacent
    return sorted(found, key=lambda gallery: order.index(gallery.kind))


def _gap(entry: ReportedRun) -> str:
    if entry.record is None:
        return entry.reason
    return f"failed: {entry.record.error}" if entry.record.status == "failed" else ""
