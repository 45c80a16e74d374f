"""Object-CXR's three label files, computed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from prior_bench.rehearsal.counts import OBJECT

SIDE = 1024
KINDS = ("0", "1", "2")


def write(root: Path, public: Path | None) -> None:
    """Write the label files; there are no public ones."""
    first = 1
    for part, (images, positive) in OBJECT.items():
        rng = np.random.default_rng(first)
        has_objects = np.zeros(images, bool)
        has_objects[rng.permutation(images)[:positive]] = True
        lines = [
            (
                f"{first + row:05d}.jpg",
                _objects(rng, int(rng.integers(1, 4)) if some else 0),
            )
            for row, some in enumerate(has_objects)
        ]
        with open(root / f"{part}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("image_name", "annotation"), *lines])
        first += images


def _objects(rng: np.random.Generator, count: int) -> str:
    return ";".join(_object(rng) for _ in range(count))


def _object(rng: np.random.Generator) -> str:
    kind = KINDS[rng.integers(len(KINDS))]
    (x1, y1), (width, height) = rng.integers(20, SIDE - 220, size=2), rng.integers(20, 200, size=2)
    x2, y2 = x1 + width, y1 + height
    corners = (x1, y1, x2, y1, x2, y2, x1, y2) if kind == "2" else (x1, y1, x2, y2)
    return " ".join([kind, *map(str, corners)])
