"""SIIM-ACR's run-length file, public or computed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from prior_bench.rehearsal.counts import SIIM_IMAGES, SIIM_POSITIVE, SIIM_REGIONS
from prior_bench.sample.layouts.siim_acr import HEADER

SIDE = 1024


def write(root: Path, public: Path | None) -> None:
    """Write the run-length file."""
    if public is not None:
        shutil.copyfile(public / "siim-pneumothorax-train-rle.csv.gz", root / "train-rle.csv.gz")
        return
    rng = np.random.default_rng(SIIM_IMAGES)
    regions = np.zeros(SIIM_IMAGES, int)
    positive = rng.permutation(SIIM_IMAGES)[:SIIM_POSITIVE]
    regions[positive] = 1
    regions[positive[: SIIM_REGIONS - SIIM_POSITIVE]] = 2
    lines = [HEADER]
    for number, count in enumerate(regions):
        name = f"1.2.276.0.7230010.3.1.4.8323329.{number}.1517875{number % 1000:03d}.{number}"
        lines += [f"{name}, {_region(rng)}" for _ in range(count)] or [f"{name}, -1"]
    (root / "train-rle.csv").write_text("\n".join(lines) + "\n")


def _region(rng: np.random.Generator) -> str:
    """A rectangle as run lengths, column by column: gap, length, gap, length, …"""
    (x, y), (width, height) = rng.integers(50, 700, size=2), rng.integers(30, 250, size=2)
    return " ".join([f"{x * SIDE + y} {height}", *[f"{SIDE - height} {height}"] * (width - 1)])
