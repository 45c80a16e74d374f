"""CheXpert's ``train.csv`` (public or computed), ``valid.csv`` and PRIOR's list of 5x200 (computed)."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.chexpert.labels import FOURTEEN
from prior_bench.rehearsal.counts import (
    CHEXPERT_FRONTAL,
    CHEXPERT_PATIENTS,
    CHEXPERT_TRAIN,
    CHEXPERT_VALID,
    CHEXPERT_VALID_FRONTAL,
)
from prior_bench.sample.lists import chexpert_5x200

SHARES = {
    "No Finding": (0.10, 0.0, 0.0),
    "Lung Opacity": (0.40, 0.03, 0.03),
    "Edema": (0.23, 0.06, 0.09),
    "Cardiomegaly": (0.12, 0.04, 0.05),
    "Consolidation": (0.07, 0.12, 0.13),
    "Atelectasis": (0.15, 0.15, 0.01),
    "Pleural Effusion": (0.38, 0.05, 0.16),
    "Support Devices": (0.45, 0.01, 0.03),
}
"""Assumed shares of 1, -1 and 0 of some observations; the others have :data:`OTHERS`, the rest is blank."""
OTHERS = (0.04, 0.03, 0.05)


def write(root: Path, public: Path | None) -> None:
    """Write both tables and the list."""
    if public is not None:
        shutil.copyfile(public / "chexpert_train.csv.gz", root / "train.csv.gz")
    else:
        table(CHEXPERT_TRAIN, CHEXPERT_FRONTAL, CHEXPERT_PATIENTS, 1, "train").to_csv(
            root / "train.csv", index=False
        )
    valid = table(CHEXPERT_VALID, CHEXPERT_VALID_FRONTAL, 200, CHEXPERT_PATIENTS + 1, "valid")
    valid[list(FOURTEEN)] = valid[list(FOURTEEN)].eq(1).astype(float)
    valid.to_csv(root / "valid.csv", index=False)
    for name, text in chexpert_5x200(root, per_class=200).items():
        (root / name).write_text(text)


def table(rows: int, frontal: int, patients: int, first: int, part: str) -> pd.DataFrame:
    """Return a table in CheXpert's layout, one row per image.

    Args:
        rows, frontal, patients: numbers of images, of frontal ones, and of patients.
        first: number of the first patient.
        part: ``"train"`` or ``"valid"``.
    """
    rng = np.random.default_rng([rows, first])
    patient = np.sort(np.concatenate([np.arange(patients), rng.integers(patients, size=rows - patients)]))
    is_frontal = np.zeros(rows, bool)
    is_frontal[rng.permutation(rows)[:frontal]] = True
    image = pd.Series(patient).groupby(patient).cumcount() + 1  # each image is a study of its own
    view = np.where(is_frontal, "frontal", "lateral")
    numbers = zip(patient + first, image, view, strict=True)
    made = {
        "Path": [f"CheXpert-v1.0-small/{part}/patient{p:05d}/study{s}/view1_{v}.jpg" for p, s, v in numbers],
        "Sex": np.where(patient % 2, "Female", "Male"),
        "Age": 20 + patient % 70,
        "Frontal/Lateral": np.where(is_frontal, "Frontal", "Lateral"),
        "AP/PA": pd.Series(np.where(rng.random(rows) < 0.85, "AP", "PA")).where(is_frontal),
    }
    for name in FOURTEEN:
        positive, uncertain, negative = SHARES.get(name, OTHERS)
        blank = 1 - positive - uncertain - negative
        values = [1.0, -1.0, 0.0, np.nan]
        made[name] = rng.choice(values, size=rows, p=[positive, uncertain, negative, blank])
    return pd.DataFrame(made)
