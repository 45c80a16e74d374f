"""Subgroups of the test patients: performance by sex, age and view, as far as the data state them."""

from __future__ import annotations

from dataclasses import dataclass, field

from prior_bench.data.attributes import USUAL
from prior_bench.data.generated import ready
from prior_bench.errors import BenchError
from prior_bench.report.html.sortable import SortableTable, Value, number, words
from prior_bench.report.html.wording import evaluation_title
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.selection import most_labels
from prior_bench.report.subgroups.collect import Section, collect, corrected
from prior_bench.report.subgroups.compare import Estimate
from prior_bench.report.subgroups.predicted import has_class_scores, read_test_images
from prior_bench.report.subgroups.text import CAPTION, HEADINGS, estimate_text, p_text

RESAMPLES = 500
"""Number of resamples and permutations, as for tables."""


@dataclass
class Subgroups:
    """The content of the section: tables, what they leave out, and the meaning of their values."""

    tables: list[SortableTable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    caption: str = CAPTION


def subgroups(evaluations: list[list[FinishedRun]]) -> Subgroups:
    """Return the section for all evaluations whose data state the sex, age or view.

    Args:
        evaluations: finished runs, grouped by task, data set and protocol.
    """
    page, sections = Subgroups(), []
    for entries in evaluations:
        runs = [entry for entry in most_labels(entries) if has_class_scores(entry)]
        try:
            if runs and _states_any(runs):
                sections += collect(runs, resamples=RESAMPLES)
        except BenchError as error:
            title = evaluation_title(runs[0].spec)
            page.notes.append(f"{title} is not shown: {error.what}.")
    p_values = corrected(sections)
    for n, section in enumerate(sections):
        if section.found.rows:
            page.tables += [_values(section), _gaps(section, n, p_values)]
        if section.found.notes:
            page.notes.append(f"{section.title}: {' '.join(section.found.notes)}")
    return page


def _states_any(runs: list[FinishedRun]) -> bool:
    """Whether the data of some runs state the sex, age or view.

    Raises:
        BenchError: this cannot be known, because the data are not there; a report generates none.
    """
    place = runs[0].spec["data"].get("root", "")
    if not ready(place):
        raise BenchError("its synthetic data are not on this machine", where=place)
    return any(name.lower() in USUAL for name in read_test_images(runs[:1]).attributes)


def _values(section: Section) -> SortableTable:
    found = section.found
    metrics = list(dict.fromkeys(name for row in found.rows for name in row.values))
    table = SortableTable(
        f"{section.title}. Classes: {', '.join(found.classes)}.",
        ["Backbone", found.attribute, "Images", "Patients", *(HEADINGS[metric] for metric in metrics)],
    )
    for row in found.rows:
        for g, group in enumerate(found.groups):
            cells = [
                _cell(row.values[metric][g]) if metric in row.values else Value("–") for metric in metrics
            ]
            sizes = [number(group.images, 0), number(group.patients, 0)]
            table.rows.append([words(row.name), words(group.name), *sizes, *cells])
    return table


def _gaps(section: Section, n: int, p_values: dict[tuple[int, str, str], float]) -> SortableTable:
    table = SortableTable(
        f"{section.title}: gaps between the groups.",
        ["Backbone", "Gap of", "Gap", "Worst group", "By chance", "p", "Holm's p"],
    )
    for row in section.found.rows:
        for metric, gap in row.gaps.items():
            holm = p_values[n, row.name, metric]
            tested = [
                number(100 * gap.chance),
                number(gap.p, 3, p_text(gap.p)),
                number(holm, 3, p_text(holm)),
            ]
            name = words(HEADINGS[metric].split()[0])
            table.rows.append([words(row.name), name, _cell(gap.size), words(gap.worst), *tested])
    return table


def _cell(one: Estimate) -> Value:
    return number(100 * one.value, 1, estimate_text(one))
