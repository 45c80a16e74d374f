"""Evaluations, metrics and logged quantities in words."""

from __future__ import annotations

from typing import Any

ACRONYMS = {"auroc": "AUROC", "auprc": "AUPRC", "map": "mAP", "iou": "IoU", "f1": "F1", "dice": "Dice"}


def shown(quantity: str) -> str:
    """A metric or logged quantity as it is written on an axis."""
    return " ".join(ACRONYMS.get(word, word) for word in quantity.replace("/", " ").split("_"))


def evaluation_title(spec: dict[str, Any]) -> str:
    """Task, data set and protocol in words."""
    task = spec["task"].replace("_", "-")
    return f"{task.capitalize()} on {spec['data']['name']} ({spec['protocol']['name']})"
