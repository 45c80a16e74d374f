"""Evaluations, metrics and logged quantities in words."""

from __future__ import annotations

import re
from typing import Any

NO_BREAK = "\N{NO-BREAK SPACE}"
ACRONYMS = {"auroc": "AUROC", "auprc": "AUPRC", "map": "mAP", "iou": "IoU", "f1": "F1", "dice": "Dice"}


def shown(quantity: str) -> str:
    """A metric or logged quantity as it is written on an axis; two numbers in its name are a range."""
    words = " ".join(ACRONYMS.get(word, word) for word in quantity.replace("/", " ").split("_"))
    return re.sub(r"(?<=\d) (?=\d)", "–", words)


def in_words(name: str) -> str:
    """A registered name as it is written in a text."""
    return name.replace("_", "-")


def evaluation_title(spec: dict[str, Any]) -> str:
    """Task, data set and protocol in words."""
    task = in_words(spec["task"])
    return f"{task.capitalize()} on {spec['data']['name']} ({spec['protocol']['name']})"
