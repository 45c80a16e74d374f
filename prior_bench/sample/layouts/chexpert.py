"""The CheXpert-v1.0-small tree (Irvin et al. 2019): ``train.csv``, ``valid.csv`` and their images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import write_jpeg
from prior_bench.sample.reports.language import LABELS, true_labels, write_report
from prior_bench.sample.sizes import Size

NAME = "chexpert"
FOLDER = "CheXpert-v1.0-small"
COLUMNS = ("Path", "Sex", "Age", "Frontal/Lateral", "AP/PA", *LABELS)
FIRST_VALID = 64541
"""Smallest patient number in ``valid``, as in the original."""


def cohorts(size: Size, benchmark: Benchmark) -> dict[str, list[Patient]]:
    """Return the patients of ``train`` and ``valid``, who are different people."""
    counts = {"train": size.chexpert_train, "valid": size.chexpert_valid}
    return {
        part: draw_cohort(f"{NAME}/{part}", count, benchmark.test, CaseMix())
        for part, count in counts.items()
    }


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return all patients of this data set, those of ``train`` first."""
    return [patient for patients in cohorts(size, benchmark).values() for patient in patients]


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their rows."""
    patients = cohort(size, benchmark)
    for place in range(len(patients))[chosen]:
        part = "train" if place < size.chexpert_train else "valid"
        patient = patients[place]
        number = patient.number + (1 if part == "train" else FIRST_VALID)
        for study in patient.studies:
            labels = study_labels(patient, study, part)
            for i, view in enumerate(study.views, 1):
                direction = "Lateral" if view.position == "LATERAL" else "Frontal"
                name = f"{part}/patient{number:05d}/study{study.number}/view{i}_{direction.lower()}.jpg"
                write_jpeg(root / FOLDER / name, render(patient, study, view, size.side).pixels)
                sex = "Female" if patient.sex == "F" else "Male"
                position = view.position if direction == "Frontal" else None
                row = [f"{FOLDER}/{name}", sex, patient.age, direction, position, *labels]
                yield {"part": part, "row": row}


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write both tables."""
    for part in ("train", "valid"):
        rows = [record["row"] for record in records if record["part"] == part]
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(dict.fromkeys(LABELS, float))
        table.to_csv(root / FOLDER / f"{part}.csv", index=False)


def study_labels(patient: Patient, study: Study, part: str) -> list[int | None]:
    """Return the 14 labels: in ``train`` those of the report (with -1 and blanks), in ``valid`` the truth."""
    said = write_report(patient, study).labels if part == "train" else true_labels(study)
    return [said.get(label) for label in LABELS]
