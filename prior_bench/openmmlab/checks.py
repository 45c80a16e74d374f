"""What tasks that train on annotated images need of the data; cheap, imports no torch and no OpenMMLab."""

from __future__ import annotations

from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError

COLUMNS = {"masks": "mask", "boxes": "boxes"}
"""Manifest column that holds each kind of annotation."""


def annotation_problems(data: Manifest, annotation: str) -> list[BenchError]:
    """What is missing: annotations at all, or in one of the splits.

    Args:
        annotation: ``"masks"`` or ``"boxes"``.
    """
    if not data.has(annotation):
        return [BenchError(f"has no {annotation}", where=data.name)]
    rows = data.table[data.table[COLUMNS[annotation]].notna()]
    annotated = set(rows["split"])
    problems = [
        BenchError(f"split '{split}' has no image with {annotation}", where=data.name)
        for split in SPLITS
        if split not in annotated
    ]
    if annotation == "boxes":  # masks are not decoded here
        drawn = set(rows.loc[rows["boxes"].map(len) > 0, "split"])
        uses = {"train": "to learn from", "valid": "to choose the weights by"}
        problems += [
            BenchError(f"split '{split}' has no box {use}", where=data.name)
            for split, use in uses.items()
            if split in annotated and split not in drawn
        ]
    return problems
