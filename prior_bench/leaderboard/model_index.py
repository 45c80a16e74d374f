"""The results of a row as metadata of a model card on the Hugging Face hub (``model-index``).

Names of fields are those of the hub's specification (``modelcard.md`` in huggingface/hub-docs). The hub's own
field ``verified`` stands for checks by the hub, and is never written.
"""

from __future__ import annotations

import math
from typing import Any

from prior_bench.escaping.signs import one_line
from prior_bench.leaderboard.entries import Board, Contributor
from prior_bench.leaderboard.standings import Standing
from prior_bench.store.descriptions import of_records

TASKS_OF_HUB = {
    "classification": "image-classification",
    "zero_shot": "zero-shot-image-classification",
    "segmentation": "image-segmentation",
    "detection": "object-detection",
}
"""Identifiers of the hub; for other tasks it has none, and ours is written."""
METRICS_OF_HUB = {"auroc": "roc_auc", "accuracy": "accuracy", "f1": "f1"}
"""Identifiers of the hub for metrics that are the same there."""


def model_index(row: Contributor, found: list[tuple[Board, Standing]], url: str = "") -> dict[str, Any]:
    """Return the metadata of a row: one result for each board.

    Args:
        row: whose results.
        found: its boards, and where it stands.
        url: address of the site; without it, results name no source.
    """
    results = [_result(row, board, standing, url) for board, standing in found if standing.cell.values]
    return {"model-index": [{"name": one_line(row.name), "results": results}]}


def _result(row: Contributor, board: Board, standing: Standing, url: str) -> dict[str, Any]:
    spec = board.spec
    metric = of_records(spec["task"], [run.record.about for run in board.all_runs()]).metric(board.metric)
    base = board.metric.partition("/")[0]
    split = next(iter(standing.runs.values())).record.split
    args = {
        "protocol": one_line(spec["protocol"]["name"]),
        **({"training labels": board.amount} if board.amount else {}),
        "seeds": sorted(standing.runs),
        "verified from predictions": standing.verified,
    }
    if math.isfinite(deviation := standing.deviation_of(board.metric)):
        args["standard deviation over seeds"] = round(deviation, 6)
    result: dict[str, Any] = {
        "task": {
            "type": TASKS_OF_HUB.get(spec["task"], one_line(spec["task"])),
            "name": one_line(spec["task"].replace("_", " ")),
        },
        "dataset": {
            "type": one_line(spec["data"].get("type", "")) or one_line(spec["data"]["name"]),
            "name": one_line(spec["data"]["name"]),
            "split": "test",
            "args": {
                "split rule": one_line(str(split.get("rule", ""))),
                "split hash": one_line(str(split.get("hash", ""))),
                "synthetic": board.synthetic,
            },
        },
        "metrics": [
            {
                "type": METRICS_OF_HUB.get(board.metric, one_line(base)),
                "name": one_line(metric.heading if metric else board.metric),
                "value": round(standing.mean_of(board.metric), 6),
                "args": args,
            }
        ],
    }
    if url:
        source = f"{url.rstrip('/')}/protocols/{board.slug}.html"
        result["source"] = {"name": f"prior-bench leaderboard: {one_line(row.label)}", "url": source}
    return result
