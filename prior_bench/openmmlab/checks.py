"""Check the data of tasks that train on annotated images; cheap, without importing torch or OpenMMLab."""

from __future__ import annotations

from prior_bench.data.manifest import SPLITS, Manifest
from prior_bench.errors import BenchError

COLUMNS = {"masks": "mask", "boxes": "boxes"}
"""Column of the manifest for each kind of annotation."""


def annotation_problems(data: Manifest, annotation: str) -> list[BenchError]:
    """Return an error if there are no annotations, or for each split without them.

    Args:
        data: the data set.
        annotation: ``"masks"`` or ``"boxes"``.
    """
    if not data.has(annotation):
        return [BenchError(f"has no {annotation}", where=data.name)]
    rows = data.table[data.table[COLUMNS[annotation]].notna()]
    annotated = set(rows["split"])
    blank = "" if annotation == "masks" else "images without an object have 'none' in a CSV file, not a blank"
    problems = [
        BenchError(f"split '{split}' has no image with {annotation}", where=data.name, fix=blank)
        for split in SPLITS
        if split not in annotated
    ]
    if annotation == "boxes":  # masks are not decoded here
        drawn = set(rows.loc[rows["boxes"].map(len) > 0, "split"])
        uses = {"train": "to learn from", "valid": "to choose the weights with"}
        problems += [
            BenchError(f"split '{split}' has no box {use}", where=data.name)
            for split, use in uses.items()
            if split in annotated and split not in drawn
        ]
    return problems
