"""What pre-training was watched by: validation on held-out patients, the epoch chosen, and warnings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.series import Series
from prior_bench.report.html.sections.training import SIZE, is_finite, pretraining_history, stage_ends
from prior_bench.report.runs.reported_runs import FinishedRun

CURVES = {"valid/recall_at_5": "Recall@5", "valid/auroc": "zero-shot AUROC"}
"""Values of the history that are drawn, and what they are called."""


@dataclass
class Monitoring:
    """What the page shows.

    Attributes:
        plots: a figure for each validation metric, with a line for each row and seed.
        chosen: (row, seed, clause) of runs of which an epoch was chosen.
        warnings: (row, seed, text) of each warning.
    """

    plots: list[Plot] = field(default_factory=list)
    chosen: list[tuple[str, int, str]] = field(default_factory=list)
    warnings: list[tuple[str, int, str]] = field(default_factory=list)


def monitoring(entries: list[FinishedRun], colours: dict[str, str]) -> Monitoring:
    """The validation curves of all pre-trainings behind the runs, and what was said about them."""
    runs = _one_per_training(entries, colours)
    found = Monitoring()
    for key, called in CURVES.items():
        lines, ends = [], {}
        for name, seed, entry in runs:
            points = [p for p in pretraining_history(entry) if is_finite(p.get(key))]
            if points:
                values = [100 * point[key] for point in points]
                lines.append(Series(name, [p["epoch"] for p in points], values, part=f"seed {seed}"))
                ends[name] = stage_ends(pretraining_history(entry))
        if lines:
            svg = line_plot(
                lines,
                x_label="epoch",
                y_label=f"validation {called}, %",
                title=f"Validation {called} over epochs of pre-training, by backbone and seed",
                colours=colours,
                bounds=ends,
                size=SIZE,
            )
            found.plots.append(Plot(svg, _caption(called, any(ends.values()))))
    for name, seed, entry in runs:
        about: dict[str, Any] = entry.record.provenance.get("backbone", {})
        if about.get("chosen"):
            found.chosen.append((name, seed, str(about["chosen"])))
        told = about.get("warnings")
        found.warnings += [(name, seed, str(text)) for text in told] if isinstance(told, list) else []
    return found


def _caption(called: str, staged: bool) -> str:
    dotted = " Dotted lines are the ends of a method's stages." if staged else ""
    return f"Validation {called} on held-out patients of the pre-training data; a line for each seed.{dotted}"


def _one_per_training(
    entries: list[FinishedRun], colours: dict[str, str]
) -> list[tuple[str, int, FinishedRun]]:
    """Row, seed and one of the runs of each pre-training, in the order of the rows."""
    found: dict[tuple[str, Any], tuple[str, int, FinishedRun]] = {}
    for entry in entries:
        name, identity = entry.spec["backbone"]["name"], entry.record.provenance.get("identity")
        found.setdefault((name, identity), (name, entry.spec["seed"], entry))
    order = list(colours)
    return sorted(found.values(), key=lambda one: (order.index(one[0]), one[1]))
