"""The RSNA Pneumonia Detection Challenge layout (stage 2): DICOM images, boxes around consolidations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import digest, who, write_dicom
from prior_bench.sample.sizes import Size

NAME = "rsna_pneumonia"
IMAGES = "stage_2_train_images"
MIX = CaseMix(
    primary={
        "healthy": 4,
        "atelectasis": 1,
        "cardiomegaly": 1,
        "consolidation": 6,
        "edema": 1,
        "lesion": 1,
        "effusion": 2,
        "pneumothorax": 1,
    },
    alone=0.5,
    studies=(1,),
    lateral=0.0,
    second_frontal=0.0,
)


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients of this data set, with one image each."""
    return draw_cohort(NAME, size.rsna, benchmark.test, MIX)


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their rows in both tables."""
    for patient in cohort(size, benchmark)[chosen]:
        study = patient.studies[0]
        image = render(patient, study, study.views[0], size.side)
        name = patient_id(patient)
        digits = int(digest(NAME, name)[:12], 16)
        uids = tuple(f"1.2.276.0.7230010.3.1.{level}.8323329.{digits}" for level in (2, 3, 4))
        tags = {
            "PatientID": name,
            "PatientSex": patient.sex,
            "PatientAge": f"{patient.age:03d}Y",
            "ViewPosition": study.views[0].position,
        }
        write_dicom(root / IMAGES / f"{name}.dcm", image.pixels, uids, **tags)
        boxes = [(x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in image.boxes("consolidation").tolist()]
        rows = [(name, *box, 1) for box in boxes] or [(name, None, None, None, None, 0)]
        yield {"labels": rows, "classes": [(name, class_of(study))] * len(rows)}


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write both tables."""
    labels, classes = (
        [row for record in records for row in record[table]] for table in ("labels", "classes")
    )
    columns = ["patientId", "x", "y", "width", "height", "Target"]
    pd.DataFrame(labels, columns=columns).to_csv(root / "stage_2_train_labels.csv", index=False)
    table = pd.DataFrame(classes, columns=["patientId", "class"])
    table.to_csv(root / "stage_2_detailed_class_info.csv", index=False)


def patient_id(patient: Patient) -> str:
    """Return a UUID, as in the original."""
    digits = digest(NAME, *who(patient))
    return "-".join((digits[:8], digits[8:12], f"4{digits[12:15]}", digits[15:19], digits[19:31]))


def class_of(study: Study) -> str:
    """Return the study's class, one of the challenge's three classes."""
    if study.has("consolidation"):
        return "Lung Opacity"
    ill = any(finding.kind != "foreign_object" for finding in study.findings)
    return "No Lung Opacity / Not Normal" if ill else "Normal"
