"""VinDr-CXR's four tables in PhysioNet's layout, computed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.vindr_cxr.files import CORNERS, NO_FINDING
from prior_bench.rehearsal.counts import VINDR
from prior_bench.sample.layouts.image_files import digest
from prior_bench.sample.layouts.vindr_cxr import LOCAL, PER_IMAGE, READERS, WHOLE

SIDE = 1024
SHARE = 0.05
"""Of the images with a finding."""


def write(root: Path, public: Path | None) -> None:
    """Write the tables; there are no public ones in this layout."""
    place = root / "annotations"
    place.mkdir()
    for part, images in VINDR.items():
        rng = np.random.default_rng(images)
        readers = PER_IMAGE if part == "train" else 1
        names = np.repeat([digest("rehearsal", "vindr", part, i)[:32] for i in range(images)], readers)
        seen = np.repeat(rng.random((images, len(LOCAL) + len(WHOLE) - 1)) < SHARE, readers, axis=0)
        labels = pd.DataFrame({"image_id": names})
        if part == "train":
            turns = rng.integers(len(READERS) - PER_IMAGE, size=images)
            labels["rad_id"] = [READERS[first + reader] for first in turns for reader in range(PER_IMAGE)]
        findings = pd.DataFrame(seen.astype(int), columns=[*LOCAL, *WHOLE[:-1]])
        findings[NO_FINDING] = (~seen.any(axis=1)).astype(int)
        boxes = _boxes(labels, seen[:, : len(LOCAL)], rng)
        spelled = {"Other diseases": "Other disease"} if part == "test" else {}
        labels = labels.join(findings).rename(columns=spelled)
        labels.to_csv(place / f"image_labels_{part}.csv", index=False)
        boxes.to_csv(place / f"annotations_{part}.csv", index=False)


def _boxes(readings: pd.DataFrame, seen: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    """Return one row per box, and a row without a box for a reading without findings."""
    rows, columns = np.nonzero(seen)
    corner = rng.integers(0, SIDE - 300, size=(len(rows), 2))
    ends = corner + rng.integers(40, 300, size=(len(rows), 2))
    drawn = readings.iloc[rows].reset_index(drop=True).assign(class_name=np.array(LOCAL)[columns])
    drawn[list(CORNERS)] = np.hstack([corner, ends]).astype(float)
    without = readings[~seen.any(axis=1)].assign(class_name=NO_FINDING)
    return pd.concat([drawn, without], ignore_index=True)
