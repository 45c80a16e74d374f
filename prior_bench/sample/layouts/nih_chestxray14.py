"""The NIH ChestX-ray14 layout: label table, official lists, hand-drawn boxes, PNG images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from prior_bench.data.readers.nih_chestxray14 import FOURTEEN, LISTS, NEGATIVE
from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort, split_patients
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import Radiograph, render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import write_png
from prior_bench.sample.sizes import Size

NAME = "nih_chestxray14"
IMAGES = "images_001/images"
SHARES = {"train_val": 0.8, "test": 0.2}
NAMES = {
    "atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "consolidation": "Consolidation",
    "edema": "Edema",
    "effusion": "Effusion",
    "lesion": "Nodule",
    "pneumothorax": "Pneumothorax",
}
"""The NIH's names of findings; a mass is also called a nodule. Seven of the fourteen names are not here."""
SEVERE_CONSOLIDATION, MILD_CONSOLIDATION = "Pneumonia", "Infiltration"
"""Second label of a consolidation, by whether its severity is above one half."""
BOXED = {
    "Atelectasis": "atelectasis",
    "Cardiomegaly": "cardiomegaly",
    "Effusion": "effusion",
    "Nodule": "lesion",
    "Pneumothorax": "pneumothorax",
    "Pneumonia": "consolidation",
    "Infiltrate": "consolidation",
}
"""Kinds of drawn findings that have boxes, by their names in BBox_List_2017.csv."""
BOXED_SHARE = 0.3
"""Share of the images with findings that have boxes; in the original, it is below one in sixty."""
MIX = CaseMix(studies=(4, 2, 1), lateral=0.0, second_frontal=0.0)


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients of this data set, with one image per study."""
    return draw_cohort(NAME, size.nih_chestxray14, benchmark.test, MIX)


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their rows and boxes."""
    patients = cohort(size, benchmark)
    parts = split_patients(patients, SHARES, benchmark.test.seed)
    for patient in patients[chosen]:
        for study in patient.studies:
            name = f"{patient.number + 1:08d}_{study.number - 1:03d}.png"
            image = render(patient, study, study.views[0], size.side)
            write_png(root / IMAGES / name, image.pixels)
            found = findings_of(study)
            boxed = (patient.key + study.number) % 100 < 100 * BOXED_SHARE
            yield {
                "entry": _entry(name, patient, study, found, size.side),
                "boxes": [(name, *box) for box in boxes_of(found, image)] if boxed else [],
                "part": parts[patient.number],
            }


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write labels, boxes and lists."""
    entries = pd.DataFrame([record["entry"] for record in records])
    entries.to_csv(root / "Data_Entry_2017.csv", index=False)
    boxes = [box for record in records for box in record["boxes"]]
    columns = ["Image Index", "Finding Label", "Bbox [x", "y", "w", "h]"]
    pd.DataFrame(boxes, columns=columns).to_csv(root / "BBox_List_2017.csv", index=False)
    for place, part in zip(LISTS, SHARES, strict=True):
        names = [record["entry"]["Image Index"] for record in records if record["part"] == part]
        (root / place).write_text("\n".join(names) + "\n")


def findings_of(study: Study) -> list[str]:
    """Return the NIH's names of a study's findings, in the order of its list."""
    found = {NAMES[finding.kind] for finding in study.findings if finding.kind in NAMES}
    for finding in study.findings:
        if finding.kind == "consolidation":
            found.add(SEVERE_CONSOLIDATION if finding.severity > 0.5 else MILD_CONSOLIDATION)
    return [name for name in FOURTEEN if name in found]


def boxes_of(found: list[str], image: Radiograph) -> list[tuple]:
    """Return (finding, x, y, width, height) for every box of the image's findings."""
    rows = []
    for name, kind in BOXED.items():
        if name.replace("Infiltrate", MILD_CONSOLIDATION) in found:
            corners = image.boxes(kind).tolist()
            rows += [(name, x1, y1, x2 - x1, y2 - y1) for x1, y1, x2, y2 in corners]
    return rows


def _entry(name: str, patient: Patient, study: Study, found: list[str], side: int) -> dict:
    return {
        "Image Index": name,
        "Finding Labels": "|".join(found) or NEGATIVE,
        "Follow-up #": study.number - 1,
        "Patient ID": patient.number + 1,
        "Patient Age": patient.age,
        "Patient Gender": patient.sex,
        "View Position": study.views[0].position,
        "OriginalImage[Width": side,
        "Height]": side,
        "OriginalImagePixelSpacing[x": 0.143,
        "y]": 0.143,
    }
