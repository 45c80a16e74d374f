"""The sections of a page that are made from class scores, evaluation by evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

from prior_bench.errors import BenchError
from prior_bench.report.html.figures.plot import Multiples
from prior_bench.report.html.sections.calibration import are_probabilities, error_table, reliability
from prior_bench.report.html.sections.confusion import Matrix, confusion_matrices
from prior_bench.report.html.sections.operating_curves import precision_recall_curves, roc_curves
from prior_bench.report.html.sections.per_class import PerClass, per_class
from prior_bench.report.html.sections.prompts import prompt_table
from prior_bench.report.html.sortable import SortableTable
from prior_bench.report.html.wording import evaluation_title
from prior_bench.report.runs.class_scores import ClassScores, scores_of
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.unfit import fitting

SECTIONS = ("curves", "calibration", "prompts")
"""Sections that state what they leave out."""


@dataclass
class ScoreSections:
    """The content of the sections in the order of the evaluations, with a line for each missing part.

    Attributes:
        left_out: lines by section, one of :data:`SECTIONS`.
    """

    classes: list[PerClass] = field(default_factory=list)
    curves: list[Multiples] = field(default_factory=list)
    confusion: list[tuple[str, list[Matrix]]] = field(default_factory=list)
    calibration: list[tuple[Multiples, SortableTable]] = field(default_factory=list)
    prompts: list[SortableTable] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: {section: [] for section in SECTIONS})

    def leave_out(self, section: str, title: str, why: str) -> None:
        """Record why an evaluation is not in a section."""
        self.left_out[section].append(f"{title} is not shown: {why}.")


def score_sections(evaluations: list[list[FinishedRun]], colours: dict[str, str]) -> ScoreSections:
    """Return the sections of all evaluations.

    Args:
        evaluations: finished runs, grouped by task, data set and protocol.
        colours: colours of all rows, in their order.
    """
    page = ScoreSections()
    for entries in evaluations:
        title = evaluation_title(entries[0].spec)
        try:
            with fitting(title):
                _add_evaluation(page, entries, title, colours)
        except BenchError as error:
            page.leave_out("curves", title, error.what)
    return page


def _add_evaluation(
    page: ScoreSections, entries: list[FinishedRun], title: str, colours: dict[str, str]
) -> None:
    held = described(entries[0].spec["task"], entries).predictions
    scores, missing = scores_of(entries) if "class_scores" in held else ([], [])
    if (classes := per_class(entries, scores, colours)) is not None:
        page.classes.append(classes)
    for line in missing:
        page.leave_out("curves", title, line)
    if scores:
        _add_figures(page, scores, title, colours)
    if "prompt_scores" in held:
        table, why = prompt_table(entries)
        if table is None:
            page.leave_out("prompts", title, why)
        else:
            page.prompts.append(table)


def _add_figures(page: ScoreSections, scores: list[ClassScores], title: str, colours: dict[str, str]) -> None:
    drawn = [roc_curves(scores, title, colours), precision_recall_curves(scores, title, colours)]
    page.curves += [multiples for multiples in drawn if multiples.plots]
    if not drawn[0].plots:
        page.leave_out("curves", title, "no class has both labels among the test images")
    if matrices := confusion_matrices(scores):
        page.confusion.append((title, matrices))
    if not are_probabilities(scores):
        page.leave_out("calibration", title, "its scores are similarities and not probabilities")
    elif drawn[0].plots:
        page.calibration.append((reliability(scores, title, colours), error_table(scores, title)))
