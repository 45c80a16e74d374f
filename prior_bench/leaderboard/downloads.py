"""The numbers of a site as data: one line per row, evaluation and metric, for CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Iterable
from typing import Any

from prior_bench.escaping import spreadsheet
from prior_bench.escaping.signs import visible
from prior_bench.leaderboard.entries import Board
from prior_bench.leaderboard.standings import Standing, column_of, verified_metrics
from prior_bench.report.runs.reported_runs import FinishedRun
from prior_bench.report.tables.table import finished

ORDER = (
    *("page", "task", "data", "synthetic", "protocol", "fraction", "shots", "metric", "higher_is_better"),
    *("row", "bundle", "bundle_sha256", "mean", "std", "seeds", "lower", "upper", "verified", "unverified"),
    *("mark", "conflicts", "finished", "prior_bench", "data_fingerprint", "split_hash", "leakage", "keys"),
)
"""Columns of ``leaderboard.csv``, and keys of a result in ``leaderboard.json``."""


def results_of(board: Board, found: list[Standing], disputes: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return the results of a board: for each row and each metric of the protocol one, without scaling.

    Args:
        board: the evaluation.
        found: its rows.
        disputes: conflicts by slug of a row.
    """
    metrics = dict.fromkeys([board.metric, *board.spec["protocol"]["metrics"]])
    return [
        _result(board, standing, metric, disputes)
        for standing in found
        for metric in metrics
        if math.isfinite(standing.mean_of(metric))
    ]


def as_csv(results: list[dict[str, Any]]) -> str:
    """Return results as CSV; texts that a spreadsheet would compute get an apostrophe."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(ORDER)
    for result in results:
        writer.writerow([spreadsheet.cell(_flat(result[name])) for name in ORDER])
    return file.getvalue()


def as_json(values: Any) -> str:
    """Return plain types as JSON, in which characters that act or hide are escapes."""
    return visible(json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _result(board: Board, standing: Standing, metric: str, disputes: dict[str, list[str]]) -> dict[str, Any]:
    spec, row, column = board.spec, standing.row, column_of(board, metric)
    primary = metric == board.metric
    runs = finished(standing.runs.values(), metric)
    verified = metric in verified_metrics(row, runs.values())
    interval = standing.cell.interval if primary and column.scale else None
    return {
        "page": f"protocols/{board.slug}.html",
        "task": spec["task"],
        "data": spec["data"]["name"],
        "synthetic": board.synthetic,
        "protocol": spec["protocol"]["name"],
        "fraction": None if spec.get("shots") else spec["fraction"],
        "shots": spec.get("shots"),
        "metric": metric,
        "higher_is_better": column.higher_is_better,
        "row": row.label,
        "bundle": row.bundle.opened.statement.title,
        "bundle_sha256": row.bundle.opened.sha256,
        "mean": standing.mean_of(metric),
        "std": _number(standing.deviation_of(metric)),
        "seeds": sorted(runs),
        "lower": interval[0] / column.scale if interval else None,
        "upper": interval[1] / column.scale if interval else None,
        "verified": verified,
        "unverified": "" if verified else standing.why or "not computed again",
        "mark": standing.cell.mark if primary else "",
        "conflicts": disputes.get(row.slug, []),
        "finished": date_of(standing),
        "prior_bench": ", ".join(
            _distinct(runs.values(), lambda p: p.get("versions", {}).get("prior-bench"))
        ),
        "data_fingerprint": ", ".join(_distinct(runs.values(), lambda p: p.get("data_fingerprint"))),
        "split_hash": ", ".join(dict.fromkeys(str(r.record.split.get("hash", "")) for r in runs.values())),
        "leakage": leakage_of(standing),
        "keys": [runs[seed].key for seed in sorted(runs)],
    }


def date_of(standing: Standing) -> str:
    """Return the day on which the newest run of a row was finished; empty if its record has none."""
    days = [str(run.record.provenance.get("finished", ""))[:10] for run in standing.runs.values()]
    return max((day for day in days if len(day) == 10 and day.replace("-", "").isdecimal()), default="")


def leakage_of(standing: Standing) -> list[str]:
    """Return what the records say of test patients that were seen in training."""
    return sorted({c for run in standing.runs.values() for c in run.record.provenance.get("leakage", ())})


def _distinct(runs: Iterable[FinishedRun], read: Callable[[dict[str, Any]], Any]) -> list[str]:
    return list(dict.fromkeys(str(read(run.record.provenance) or "") for run in runs))


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _flat(value: Any) -> Any:
    """Return a value for one cell: the parts of a list with semicolons, and yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(map(str, value)) if isinstance(value, list) else value
