"""Format a run as text: its protocol, its weights, and its metrics with intervals."""

from __future__ import annotations

import math
from typing import Any

from prior_bench.api import RunRecord
from prior_bench.errors import BenchError
from prior_bench.report.runs.draws import scoring, task_of
from prior_bench.report.runs.unfit import fitting
from prior_bench.store.cells import describe
from prior_bench.store.store import Store

HISTORY_ENDS = 5
"""Number of lines shown at the beginning and at the end of a long history."""


def protocol_text(protocol: dict[str, Any]) -> str:
    """Format a whole protocol (plain types), one field per line, without empty fields."""
    lines = [f"protocol {protocol['name']}"]
    for name, value in protocol.items():
        if name != "name" and value not in ("", {}, [], (), None):
            lines.append(f"  {name}: {inline(value)}")
    return "\n".join(lines)


def inline(value: Any) -> str:
    """Format the value of a protocol field on one line."""
    if isinstance(value, dict):
        return ", ".join(
            f"{name} {f'({inline(inner)})' if isinstance(inner, dict) else inline(inner)}"
            for name, inner in value.items()
        )
    if isinstance(value, (list, tuple)):
        return ", ".join(inline(inner) for inner in value)
    if value is None:
        return "none"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def result_text(record: RunRecord, store: Store, resamples: int = 1000) -> str:
    """Format the results of a finished run.

    Args:
        record: record of the run.
        store: store with its predictions.
        resamples: number of bootstrap resamples for the 95 % intervals; with 0, there are no intervals.
    """
    from tabulate import tabulate

    bounds, missing = {}, ""
    if resamples and (store.runs / record.key / "predictions.npz").is_file():  # a task may have none
        try:
            bounds = intervals(record, store, resamples)
        except BenchError as error:
            missing = f"\nNo intervals: {error.what}."
    predictors = list(record.trivial)
    rows = []
    for name, value in record.metrics.items():
        low, high = bounds.get(name, (math.nan, math.nan))
        interval = f"{low:.3f} to {high:.3f}" if math.isfinite(low) and math.isfinite(high) else ""
        trivial = [record.trivial[p].get(name, math.nan) for p in predictors]
        rows.append([name, _number(value), interval, *map(_number, trivial)])
    headers = ["metric", "value", "95 % interval", *(p.replace("_", " ") for p in predictors)]
    table = tabulate(rows, headers, disable_numparse=True, colalign=("left", *["right"] * (len(headers) - 1)))
    missing += "".join(f"\n{line}" for line in left_out_lines(record))
    return "\n".join([*_weights(record), *_data(record), "", table + missing, "", summary(record, bounds)])


def left_out_lines(record: RunRecord) -> list[str]:
    """Return a line for each reason why metrics are undefined for these labels."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in record.undefined.items():
        by_reason.setdefault(reason, []).append(name)
    return [f"Left out: {', '.join(names)}: {reason}." for reason, names in by_reason.items()]


def run_text(record: RunRecord, store: Store, resamples: int = 1000) -> str:
    """Format everything about a finished or failed run: spec, metrics, split, history, provenance.

    Args:
        record, store, resamples: see :func:`result_text`.
    """
    spec = record.spec
    told = {name: value for name, value in spec.items() if name != "protocol"}
    parts = [
        f"record {record.key}, {record.status}, in {store.runs / record.key}",
        "\n".join(f"{name}: {inline(value)}" for name, value in told.items()),
        protocol_text(spec["protocol"]),
    ]
    if record.status == "done":
        parts.append(result_text(record, store, resamples))
    else:
        traceback = store.runs / record.key / "traceback.txt"
        parts.append(f"error: {record.error}" + (f"\ntraceback: {traceback}" if traceback.is_file() else ""))
    if record.history:
        parts.append("history\n" + _history(record.history))
    facts = {name: value for name, value in record.provenance.items() if name != "backbone"}
    if facts:
        lines = [f"  {name}: {inline(value)}" for name, value in facts.items()]
        parts.append("\n".join(["provenance", *lines]))
    return "\n\n".join(parts)


def intervals(record: RunRecord, store: Store, resamples: int) -> dict[str, tuple[float, float]]:
    """Compute 95 % bootstrap intervals by patient from the stored predictions.

    Raises:
        BenchError: the predictions are missing, damaged or without patients, or the task is not installed.
    """
    from prior_bench.statistics.bootstrap import interval

    task, metrics = task_of(record)(), tuple(record.spec["protocol"]["metrics"])
    predictions = store.predictions(record.key)
    with fitting(f"run {record.key}"):
        score, of_counts = scoring(task, metrics)
        return interval(score, predictions, n=resamples, of_counts=of_counts)


def summary(record: RunRecord, bounds: dict[str, tuple[float, float]]) -> str:
    """Return one line with the run, its primary metric, a mark of synthetic data, and the record's key."""
    primary = next((m for m in record.spec["protocol"]["metrics"] if m in record.metrics), None)
    primary = primary or next(iter(record.metrics), "")
    value = f"{primary} {_number(record.metrics.get(primary, math.nan))}"
    low, high = bounds.get(primary, (math.nan, math.nan))
    if math.isfinite(low) and math.isfinite(high):
        value += f" ({low:.3f} to {high:.3f})"
    synthetic = " [synthetic data]" if record.synthetic else ""
    return f"{describe(record.spec)}: {value}{synthetic} · record {record.key}"


def _weights(record: RunRecord) -> list[str]:
    facts = record.provenance.get("backbone", {})
    return ["backbone", *(f"  {name}: {inline(value)}" for name, value in facts.items())] if facts else []


def _data(record: RunRecord) -> list[str]:
    data, split = record.spec["data"], record.split
    line = f"data {data['name']}" + (" (generated, not from patients)" if record.synthetic else "")
    return [line, f"  split: {inline(split)}"] if split else [line]


def _history(history: list[dict[str, Any]]) -> str:
    """Format a table with one line per entry; for a long history, only the first and last lines."""
    from tabulate import tabulate

    rows = [{name: f"{value:.5g}" for name, value in entry.items()} for entry in history]
    left_out = len(rows) - 2 * HISTORY_ENDS
    if left_out > 0:
        rows = [*rows[:HISTORY_ENDS], {name: "…" for name in rows[0]}, *rows[-HISTORY_ENDS:]]
    text = tabulate(rows, headers="keys", disable_numparse=True)
    return text + (f"\n({left_out} more lines in between; --json prints all)" if left_out > 0 else "")


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
