"""COVIDx's lists of two versions, 9A and CXR-4, computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from prior_bench.rehearsal.counts import COVIDX_9A, COVIDX_CXR4
from prior_bench.sample.layouts.covidx import LISTS_9A, SOURCES

THREE = ("normal", "pneumonia", "COVID-19")
BINARY = ("negative", "positive")


def write(root: Path, public: Path | None) -> None:
    """Write the lists; there are no public ones."""
    versions = (
        ("9a", THREE, {LISTS_9A[part]: count for part, count in COVIDX_9A.items()}),
        ("cxr4", BINARY, {f"{part}.txt": count for part, count in COVIDX_CXR4.items()}),
    )
    for version, classes, lists in versions:
        for file, count in lists.items():
            drawn = np.random.default_rng(count).integers(len(classes), size=count)
            lines = [
                f"{file[:2]}{number // 2} {version}-{file[:2]}-{number:06d}.png {classes[kind]} "
                f"{list(SOURCES.values())[-kind]}"
                for number, kind in enumerate(drawn)
            ]
            (root / file).write_text("\n".join(lines) + "\n")
