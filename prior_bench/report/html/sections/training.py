"""Training curves of pre-training, and of heads, decoders and detectors."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from prior_bench import paths
from prior_bench.data.named_folders import is_known
from prior_bench.errors import BenchError
from prior_bench.io.bounded import is_own_file, read_json
from prior_bench.report.html.figures.line_plot import line_plot
from prior_bench.report.html.figures.plot import Plot
from prior_bench.report.html.figures.series import Series, over_seeds, spread_caption
from prior_bench.report.html.wording import evaluation_title, logged
from prior_bench.report.runs.described import described
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.runs.selection import one_per_backbone

TIMES = ("epoch", "iteration", "iter", "step")
"""Keys that give the time of a history entry, the preferred one first."""

MOST_EPOCHS, MOST_STAGES = 10_000, 50
"""Epochs and stages of a history that is drawn; each line at the end of a stage takes milliseconds."""

SIZE = (4.0, 2.6)
"""Size of a figure in inches."""


def pretraining(entries: list[FinishedRun], colours: dict[str, str]) -> Plot | None:
    """Draw the loss over the epochs of pre-training, averaged over seeds; return None without a history."""
    series, ends = [], {}
    for name in colours:
        mine = {e.record.provenance.get("identity"): e for e in entries if e.spec["backbone"]["name"] == name}
        found = [[p for p in pretraining_history(e) if is_finite(p.get("loss"))] for e in mine.values()]
        histories = [history for history in found if history]
        if histories:
            length = min(len(h) for h in histories)
            losses = [[h[i]["loss"] for h in histories] for i in range(length)]
            series.append(over_seeds(name, [h["epoch"] for h in histories[0][:length]], losses))
            ends[name] = stage_ends(histories[0])
    if not series:
        return None
    svg = line_plot(
        series,
        x_label="epoch",
        y_label="pre-training loss",
        title="Pre-training loss over epochs, by backbone",
        colours=colours,
        bounds=ends,
        size=SIZE,
    )
    caption = "Pre-training loss. Losses of different methods, or of different stages, cannot be compared."
    return Plot(svg, f"{caption} {spread_caption(series, 'Bands')}")


def training(entries: list[FinishedRun], colours: dict[str, str]) -> list[Plot]:
    """Draw quantities logged in the training of heads, decoders and detectors, one figure each.

    The figures show one seed and the largest label fraction.
    """
    chosen = one_per_backbone(entries)
    quantities = dict.fromkeys(
        key for e in chosen for point in e.record.history for key in point if key not in TIMES
    )
    losses = [q for q in quantities if "loss" in q]
    scores = [q for q in quantities if "loss" not in q and not q.startswith("lr")]
    keys = {key for e in chosen for point in e.record.history for key in point}
    clock = next((time for time in TIMES if time in keys), None)
    if clock is None:  # the history is not over time, e.g. a search over settings
        return []
    title, task = evaluation_title(chosen[0].spec), described(chosen[0].spec["task"], chosen)
    plots = []
    for quantity in [*losses[:1], *scores[:1]]:
        series = [line for e in chosen if (line := _logged(e, quantity, clock))]
        if series:
            svg = line_plot(
                series,
                x_label=clock,
                y_label=logged(quantity, task),
                title=f"{title}: {logged(quantity, task)} in training, by backbone",
                colours=colours,
                size=SIZE,
            )
            plots.append(Plot(svg, f"{title}, seed {chosen[0].spec['seed']}."))
    return plots


def pretraining_history(entry: FinishedRun) -> list[dict[str, Any]]:
    """Return the epochs of a backbone's pre-training, from the record or from the file next to the
    checkpoint.

    Empty if there is neither, as for a checkpoint from elsewhere.
    """
    backbone = entry.record.provenance.get("backbone", {})
    history = backbone.get("history")
    if history is None and backbone.get("path"):
        place = Path(backbone["path"]).parent / "history.json"
        if not _is_ours(place):
            return []
        try:
            history = read_json(place)
        except (OSError, BenchError):
            return []
    if not isinstance(history, list) or len(history) > MOST_EPOCHS:
        return []
    return [point for point in history if isinstance(point, dict) and "epoch" in point]


def _is_ours(place: Path) -> bool:
    """Whether a file that a record names is under the results or data root, or beside opened weights."""
    inside = place.resolve().is_relative_to(paths.results_root().resolve())
    return (inside or is_known(place)) and is_own_file(place)


def stage_ends(history: list[dict[str, Any]]) -> list[float]:
    """Positions between the epochs of a history at which a stage of its training ends."""
    pairs = zip(history, history[1:], strict=False)
    ends = [(a["epoch"] + b["epoch"]) / 2 for a, b in pairs if a.get("stage") != b.get("stage")]
    return ends if len(ends) < MOST_STAGES else []


def _logged(entry: FinishedRun, quantity: str, clock: str) -> Series | None:
    """Return a quantity of the run's history over time; None if it was logged less than twice."""
    points = [p for p in entry.record.history if is_finite(p.get(quantity)) and clock in p]
    if len(points) < 2:
        return None
    name = entry.spec["backbone"]["name"]
    return Series(name, [point[clock] for point in points], [point[quantity] for point in points])


def is_finite(value: Any) -> bool:
    """Whether a value of a history is a finite number."""
    return isinstance(value, (int, float)) and math.isfinite(value)
