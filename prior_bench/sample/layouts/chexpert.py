"""The CheXpert-v1.0-small tree (Irvin et al. 2019): ``train.csv``, ``valid.csv`` and their images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts.image_files import write_jpeg
from prior_bench.sample.reports.language import LABELS, true_labels, write_report
from prior_bench.sample.sizes import Size

NAME = "chexpert"
FOLDER = "CheXpert-v1.0-small"
COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS)
FIRST_VALID = 64541
"""Number of the first validation patient, as in the original."""


def cohorts(size: Size, seed: int) -> dict[str, list[Patient]]:
    """The patients of ``train`` and ``valid``, who are different people."""
    counts = {"train": size.chexpert_train, "valid": size.chexpert_valid}
    return {part: draw_cohort(f"{NAME}/{part}", count, seed, CaseMix()) for part, count in counts.items()}


def cohort(size: Size, seed: int) -> list[Patient]:
    """All patients of this data set."""
    return [patient for patients in cohorts(size, seed).values() for patient in patients]


def write(root: Path, size: Size, seed: int) -> Iterator[None]:
    """Write images and both tables under ``root``; yields after every image."""
    for part, patients in cohorts(size, seed).items():
        rows = []
        for patient in patients:
            number = patient.number + (1 if part == "train" else FIRST_VALID)
            for study in patient.studies:
                labels = study_labels(patient, study, part)
                for i, view in enumerate(study.views, 1):
                    direction = "Lateral" if view.position == "LATERAL" else "Frontal"
                    name = f"{part}/patient{number:05d}/study{study.number}/view{i}_{direction.lower()}.jpg"
                    pixels = render(patient, study, view, size.side).pixels
                    write_jpeg(root / FOLDER / name, pixels)
                    sex = "Female" if patient.sex == "F" else "Male"
                    position = view.position if direction == "Frontal" else np.nan
                    rows.append((f"{FOLDER}/{name}", sex, patient.age, direction, position, *labels))
                    yield
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(LABELS, float))
        table.to_csv(root / FOLDER / f"{part}.csv", index=False)


def study_labels(patient: Patient, study: Study, part: str) -> list[float]:
    """The 14 labels: what the report says in ``train`` (with -1 and blanks), what is there in ``valid``."""
    said = write_report(patient, study).labels if part == "train" else true_labels(study)
    return [said.get(label, np.nan) for label in LABELS]
