"""RSNA Pneumonia's label file, public or computed."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.rehearsal.counts import RSNA_BOXES, RSNA_IMAGES
from prior_bench.sample.layouts.image_files import digest

FILE = "stage_2_train_labels.csv"


def write(root: Path, public: Path | None) -> None:
    """Write the label file."""
    if public is not None:
        shutil.copyfile(public / f"kaggle_{FILE}.zip", root / f"{FILE}.zip")
        return
    rng = np.random.default_rng(RSNA_IMAGES)
    boxes = np.repeat([0, *RSNA_BOXES], [RSNA_IMAGES - sum(RSNA_BOXES.values()), *RSNA_BOXES.values()])
    rows = []
    for number, count in enumerate(rng.permutation(boxes)):
        name = digest("rehearsal", "rsna", number)[:36]
        corners = rng.integers(80, 560, size=(count, 2))
        sides = rng.integers(60, 380, size=(count, 2))
        rows += [(name, *map(float, (*c, *s)), 1) for c, s in zip(corners, sides, strict=True)]
        rows += [] if count else [(name, None, None, None, None, 0)]
    columns = ["patientId", "x", "y", "width", "height", "Target"]
    pd.DataFrame(rows, columns=columns).to_csv(root / FILE, index=False)
