"""The projection of a rehearsal as Markdown: a line per evaluation, a line per suite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import mean

from tabulate import tabulate

from prior_bench.api import Measured
from prior_bench.escaping.markdown import markdown
from prior_bench.report.projection import GPUS, ProjectedCell, Projection, peak
from prior_bench.store.cells import labels_of, labels_text
from prior_bench.suites.estimate import FORWARD, FROZEN, TRAINED

IN_EVALUATION = ("valid", "test", "features", "feature maps", "similarity", "texts")
"""Measured work that passes images or texts through a network without training."""
SUITE_HEADINGS = (
    "suite",
    "cells rehearsed",
    "real cells",
    "failed or missing",
    "peak GiB",
    "hours here",
    "GPU hours",
    f"on {GPUS} GPUs",
    "longest cell",
)


def suite_text(name: str, projection: Projection, forward: float) -> str:
    """Return the projection of one suite: evaluations, totals, and what the numbers assume."""
    if not projection.cells:
        return f"rehearsal of {name}: no cell is done, {projection.failed} failed"
    ordered = sorted(projection.cells, key=_evaluation)  # stable: cells keep the suite's order within one
    rows = [_line(key, list(cells)) for key, cells in groupby(ordered, key=_evaluation)]
    headings = ("evaluation", "labels", "cells", "peak GiB", "batch", "steps", "s/step", "images evaluated")
    table = _markdown(rows, (*headings, "ms/image", "hours here", "GPU hours"))
    return "\n".join([f"rehearsal of {name}", "", table, "", *_totals(projection, forward)])


def suites_text(projections: dict[str, Projection], forward: float) -> str:
    """Return a table with a line per suite, and what the numbers assume."""
    rows = [
        (
            name,
            len(p.cells),
            p.real_cells,
            p.failed + p.missing,
            f"{p.memory:.1f}",
            _hours(p.here),
            _hours(p.gpu),
            _hours(p.on_gpus()),
            _hours(p.longest),
        )
        for name, p in projections.items()
    ]
    return "\n".join([_markdown(rows, SUITE_HEADINGS), "", *assumptions(forward)])


def assumptions(forward: float) -> list[str]:
    """Return what the hours mean, line by line."""
    frozen, trained = forward * FROZEN / FORWARD, forward * TRAINED / FORWARD
    return [
        "Hours here: real steps and images x the seconds that this machine took, at the load it had.",
        "GPU hours are not measured: images / assumed images per second of one GPU at 224 pixels "
        f"({forward:g} forward only, {frozen:g} under a trained head, {trained:g} trained; they fall with "
        "the square of the size), plus metrics and probes as measured here. --images-per-second changes the "
        "first number, and the others in proportion.",
        "Every training runs to its last epoch: early stopping shortens it. Pre-training is not included.",
    ]


def _totals(projection: Projection, forward: float) -> list[str]:
    factor = {cell.record.provenance["rehearsal"]["factor"] for cell in projection.cells}
    batch = {cell.record.provenance["rehearsal"]["batch"] for cell in projection.cells}
    share = ", ".join(f"{one:g}" for one in sorted(factor))
    less = [one for one in batch if one is not None]
    device = sorted(
        {str(cell.record.provenance.get("hardware", {}).get("device", "?")) for cell in projection.cells}
    )
    at_once = f"at most {max(less)} images per step" if less else "real batches"
    return [
        f"{len(projection.cells)} cells rehearsed for {projection.real_cells} real ones (one seed of each), "
        f"{projection.failed} failed, {projection.missing} not yet run; share of the steps {share}, "
        f"{at_once}, device {', '.join(device)}.",
        f"Projected: {_hours(projection.gpu)} h on one GPU, {_hours(projection.on_gpus())} h on {GPUS}, "
        f"{_hours(projection.longest)} h as an array with a job per cell (its longest cell); "
        f"{_hours(projection.here)} h on this machine.",
        *assumptions(forward),
    ]


def _evaluation(cell: ProjectedCell) -> tuple[str, str, str, float]:
    spec = cell.record.spec
    return spec["task"], spec["data"]["name"], spec["protocol"]["name"], spec["fraction"]


def _line(key: tuple[str, str, str, float], cells: Sequence[ProjectedCell]) -> tuple:
    training = [m for cell in cells for m in cell.of("training")]
    evaluated = [m for cell in cells for m in cell.of(*IN_EVALUATION)]
    here, gpu = (sum(getattr(cell, name) * cell.seeds for cell in cells) / 3600 for name in ("here", "gpu"))
    return (
        f"{key[0]}: {key[2]} on {key[1].removesuffix(' (rehearsal)')}",
        labels_text(labels_of(cells[0].record.spec)),
        f"{len(cells)} for {sum(cell.seeds for cell in cells)}",
        f"{max(peak(cell.record) for cell in cells):.1f}",
        training[0].batch if training else "",
        f"{training[0].steps:,}" if training else "",
        f"{mean(_per_step(m) for m in training):.1f}" if training else "",
        f"{sum(m.real for m in evaluated) / len(cells):,.0f}",
        f"{1000 * sum(m.seconds for m in evaluated) / max(1, sum(m.done for m in evaluated)):.0f}",
        _hours(here),
        _hours(gpu),
    )


def _per_step(training: Measured) -> float:
    """Seconds of a step with the real number of images."""
    return training.projected / max(1, training.steps)


def _markdown(rows: Iterable[tuple], headings: Sequence[str]) -> str:
    left = ("left", "left") if headings[1] == "labels" else ("left",)
    align = (*left, *["right"] * (len(headings) - len(left)))
    shown = [[markdown(str(value)) for value in row] for row in rows]
    return tabulate(shown, headings, tablefmt="pipe", colalign=align, disable_numparse=True)


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.1f}" if hours >= 0.1 else f"{hours:.2f}"
