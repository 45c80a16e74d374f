"""The cost of a row: parameters, pre-training, and memory and time of its evaluations."""

from __future__ import annotations

import math
from statistics import mean

from prior_bench.report.html.sections.training import pretraining_history
from prior_bench.report.html.sortable import SortableTable, Value, number, words
from prior_bench.report.html.wording import in_words
from prior_bench.report.runs.reported_runs import FinishedRun

MEMORY = {"memory": "memory, GiB", "gpu": "GPU memory, GiB"}
"""Headings of the kinds of memory in records (:mod:`prior_bench.engine.peak_memory`)."""


def cost_table(done: list[FinishedRun], names: list[str]) -> SortableTable:
    """Return the table of costs: means over runs and seeds by row, and a column of seconds per task."""
    tasks = list(dict.fromkeys(entry.spec["task"] for entry in done))
    columns = [
        "Backbone",
        "image encoder, million parameters",
        "pre-training, epochs",
        "pre-training, minutes",
    ]
    kinds = [kind for kind in MEMORY if any(kind in _peak(entry) for entry in done)]
    table = SortableTable(
        "Recorded cost: means over seeds. Evaluation in seconds per run (one fraction and seed)."
        + (" Memory is the peak over all runs." if kinds else ""),
        [*columns, *(MEMORY[kind] for kind in kinds), *(f"{in_words(task)}, s" for task in tasks)],
    )
    for name in names:
        mine = [entry for entry in done if entry.spec["backbone"]["name"] == name]
        if mine:
            seconds = [_seconds([e for e in mine if e.spec["task"] == task]) for task in tasks]
            known = [_peak(entry) for entry in mine]
            peaks = [max((p[kind] for p in known if kind in p), default=math.nan) for kind in kinds]
            row = [words(name), _parameters(mine), *_pretraining(mine), *map(number, [*peaks, *seconds])]
            table.rows.append(row)
    return table


def machines(done: list[FinishedRun]) -> list[str]:
    """Return the machines on which the times were measured."""
    found = []
    for entry in done:
        machine = entry.record.provenance.get("hardware", {})
        name = machine.get("gpu") or machine.get("cpu")
        if name:
            found.append(f"{name}, {machine['cores']} cores" if machine.get("cores") else name)
    return list(dict.fromkeys(found))


def _peak(entry: FinishedRun) -> dict[str, float]:
    return entry.record.provenance.get("peak_gib") or {}


def _parameters(entries: list[FinishedRun]) -> Value:
    counts = [count for e in entries if (count := e.record.provenance.get("parameters"))]
    return number(counts[0] / 1e6, 2) if counts else Value("–")


def _pretraining(entries: list[FinishedRun]) -> list[Value]:
    """Return mean epochs and minutes of the trainings; a dash if they are unknown."""
    by_identity = {entry.record.provenance.get("identity"): entry for entry in entries}
    histories = [history for e in by_identity.values() if (history := pretraining_history(e))]
    epochs = [len(history) for history in histories]
    timed = [history for history in histories if all("seconds" in epoch for epoch in history)]
    minutes = [sum(epoch["seconds"] for epoch in history) / 60 for history in timed]
    return [
        number(mean(epochs), 0) if epochs else Value("–"),
        number(mean(minutes)) if minutes else Value("–"),
    ]


def _seconds(entries: list[FinishedRun]) -> float:
    times = [seconds for e in entries if (seconds := e.record.provenance.get("wall_seconds"))]
    return mean(times) if times else math.nan
