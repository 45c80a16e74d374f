"""Collect the content of a suite's report and fill the page template."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from prior_bench.errors import BenchError
from prior_bench.escaping.page import environment
from prior_bench.report.html.attempts import Attempts
from prior_bench.report.html.figures.row_look import colours_of, swatch
from prior_bench.report.html.figures.vega import drawing_script
from prior_bench.report.html.galleries.examples import Gallery
from prior_bench.report.html.galleries.kinds import galleries
from prior_bench.report.html.sections.cost import cost_table, machines
from prior_bench.report.html.sections.embedding_map import embedding_map
from prior_bench.report.html.sections.explorer import Explorer, explorers
from prior_bench.report.html.sections.label_efficiency import label_efficiency, shot_curve
from prior_bench.report.html.sections.monitoring import Monitoring, monitoring
from prior_bench.report.html.sections.overview import Overview, overview
from prior_bench.report.html.sections.partners import partner_tables
from prior_bench.report.html.sections.prototypes import prototype_tables
from prior_bench.report.html.sections.ranks import RankSection, rank_section
from prior_bench.report.html.sections.robustness import robustness
from prior_bench.report.html.sections.score_sections import score_sections
from prior_bench.report.html.sections.subgroups import Subgroups, subgroups
from prior_bench.report.html.sections.training import pretraining, training
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.reported_runs import FinishedRun, ReportedRun, finished_runs, reported_runs
from prior_bench.report.runs.run_text import inline
from prior_bench.report.runs.selection import evaluations_of, one_per_backbone
from prior_bench.report.tables.render import html_table
from prior_bench.report.tables.suite_tables import table_of, tables_of
from prior_bench.report.tables.table import Table, build_table
from prior_bench.runtime import progress
from prior_bench.store.cells import describe
from prior_bench.store.provenance import command
from prior_bench.store.store import Store
from prior_bench.suites.suite import Suite

TEMPLATES, TEMPLATE = Path(__file__).parent / "templates", "page.html.j2"
REVISION = re.compile("[0-9a-f]{7,64}")
"""What git calls a revision."""
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
    templates = environment(TEMPLATES)
    templates.filters["inline"] = inline
    return templates.get_template(TEMPLATE).render(**context(suite, store, found, done))


def context(suite: Suite, store: Store, found: list[ReportedRun], done: list[FinishedRun]) -> dict[str, Any]:
    """Return the values that the template uses."""
    names = list(dict.fromkeys(entry.spec["backbone"]["name"] for entry in found))
    colours = colours_of(names)
    evaluations = evaluations_of(done)
    side_by_side = [one_per_backbone(runs) for runs in evaluations]
    parts = Attempts()
    examples = parts.each("examples", galleries, progress(side_by_side, "example images"))
    maps = parts.each("embedding map", embedding_map, progress(side_by_side, "embedding maps"))
    watched = parts.one("monitoring", lambda: monitoring(done, colours), Monitoring())
    trained = [parts.one("pre-training", lambda: pretraining(done, colours), None), *watched.plots]
    trained += sum(parts.each("training", lambda runs: training(runs, colours), evaluations), [])
    curves = [
        lambda runs: label_efficiency(runs, colours),
        lambda runs: shot_curve(runs, colours),
    ]
    together = table_of(suite, found)
    tables = [build_table(config, [store], trivial=True) for config in tables_of(suite) or [together]]
    ranked = tables[0] if len(tables) == 1 else build_table(together, [store], test=False)
    explored: list[Explorer] = parts.one("figure of a column", lambda: explorers(tables, colours), [])
    newest = max(done, key=lambda e: e.record.provenance.get("finished", ""))
    return {
        "title": suite.title or suite.name,
        "suite": suite.name,
        "synthetic": any(e.record.synthetic for e in done),
        "date": datetime.now().astimezone().strftime("%-d %B %Y, %H:%M %Z"),
        "command": command(),
        "names": names,
        "overview": parts.one("overview", lambda: overview(done, tables, ranked), Overview([], [])),
        "counts": {"cells": len(found), "done": len(done)},
        "tables": [shown_table(table) for table in tables],
        "explorers": explored,
        "drawing": drawing_script(TEMPLATES) if explored else "",
        "ranks": parts.one("ranks", lambda: rank_section(ranked), RankSection(problem="it cannot be made")),
        "swatches": {name: swatch(name, colours) for name in names},
        "efficiency": [
            made
            for runs in evaluations
            for curve in curves
            for made in parts.each("label efficiency", curve, [runs])
        ],
        "scores": score_sections(evaluations, colours),
        "subgroups": parts.one("subgroups", lambda: subgroups(evaluations), Subgroups()),
        "robustness": parts.each("robustness", lambda runs: robustness(runs, colours), evaluations),
        "maps": maps,
        "galleries": _ordered(sum(examples, [])),
        "partners": sum(parts.each("wrong partners", partner_tables, side_by_side), []),
        "prototypes": sum(parts.each("prototypes", prototype_tables, side_by_side), []),
        "training": _made(trained),
        "monitoring": watched,
        "cost": parts.one("cost", lambda: cost_table(done, names), SortableTable("", [])),
        "machines": machines(done),
        "gaps": [*((describe(e.spec), _gap(e)) for e in found if _gap(e)), *parts.problems],
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
    if not REVISION.fullmatch(revision or ""):
        revision = None  # a record is data; this is a line that people paste into a shell
    name = " ".join(map(shlex.quote, suite.called.split()))
    first = [f"git checkout {revision}", "pip install -e ."] if revision else []
    if newest.record.provenance.get("git", {}).get("dirty"):
        first.insert(1, "# the records were made with uncommitted changes to this revision")
    return [*first, f"prior-bench run {name}", f"prior-bench report {name}"]


def shown_table(table: Table) -> dict[str, Any]:
    """Return a table as the template shows it: results of declared comparisons are a list of their own."""
    outcomes = [outcome.text for outcome in table.outcomes]
    notes = [note for note in table.notes if note not in outcomes]
    table_text = html_table(table, caption=False)
    return {"title": table.title, "table": table_text, "notes": notes, "outcomes": outcomes}


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
