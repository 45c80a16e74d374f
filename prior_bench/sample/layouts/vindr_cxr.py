"""The VinDr-CXR layout of PhysioNet: DICOM images, labels and boxes of three readers, consensus in test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.vindr_cxr.files import CORNERS, NO_FINDING
from prior_bench.sample.cohort import CaseMix, Patient, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import Radiograph, render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import digest, who, write_dicom
from prior_bench.sample.sizes import Size

NAME = "vindr_cxr"
LOCAL = (
    "Aortic enlargement", "Atelectasis", "Calcification", "Cardiomegaly", "Clavicle fracture",
    "Consolidation", "Edema", "Emphysema", "Enlarged PA", "ILD", "Infiltration", "Lung Opacity",
    "Lung cavity", "Lung cyst", "Mediastinal shift", "Nodule/Mass", "Pleural effusion",
    "Pleural thickening", "Pneumothorax", "Pulmonary fibrosis", "Rib fracture", "Other lesion",
)  # fmt: skip
"""Findings with boxes."""
WHOLE = ("COPD", "Lung tumor", "Pneumonia", "Tuberculosis", "Other diseases", NO_FINDING)
"""Diagnoses of the whole image."""
NAMES = {
    "atelectasis": "Atelectasis",
    "cardiomegaly": "Cardiomegaly",
    "consolidation": "Consolidation",
    "edema": "Edema",
    "effusion": "Pleural effusion",
    "lesion": "Nodule/Mass",
    "pneumothorax": "Pneumothorax",
}
READERS = tuple(f"R{number}" for number in range(1, 18))
PER_IMAGE = 3
MISSED = 0.15
"""Probability that a reader misses a finding."""
JITTER = 0.04
"""Standard deviation of the corners of a reader's boxes, as a share of the box's sides."""
TEST_SHARE = 0.2
MIX = CaseMix(studies=(1,), lateral=0.0, second_frontal=0.0)

Seen = dict[str, np.ndarray]
"""Boxes, float [n, 4], by name of the finding."""


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients of this data set, with one image each."""
    return draw_cohort(NAME, size.vindr_cxr, benchmark.test, MIX)


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their labels and boxes."""
    patients = cohort(size, benchmark)
    tested = len(patients) - round(TEST_SHARE * len(patients))
    for place in range(len(patients))[chosen]:
        patient, part = patients[place], "test" if place >= tested else "train"
        name, study = digest(NAME, *who(patient))[:32], patient.studies[0]
        image = render(patient, study, study.views[0], size.side)
        digits = int(digest(NAME, name)[:12], 16)
        uids = tuple(f"1.2.276.0.7230010.3.1.{level}.8323329.{digits}" for level in (2, 3, 4))
        write_dicom(root / part / f"{name}.dicom", image.pixels, uids, PatientSex=patient.sex)
        truth = there(image)
        readings = {"": truth} if part == "test" else read_by_three(truth, patient.key, size.side)
        record: Record = {"part": part, "labels": [], "boxes": []}
        for reader, seen in readings.items():
            names = {"image_id": name} | ({"rad_id": reader} if reader else {})
            record["labels"].append(names | image_labels(seen))
            record["boxes"] += [names | row for row in box_rows(seen)]
        yield record


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write the four tables."""
    place = root / "annotations"
    place.mkdir()
    for part in ("train", "test"):
        labels, boxes = (
            pd.DataFrame([row for record in records if record["part"] == part for row in record[table]])
            for table in ("labels", "boxes")
        )
        # in the original, this name differs between train and test
        spelled = {"Other diseases": "Other disease"} if part == "test" else {}
        labels.rename(columns=spelled).to_csv(place / f"image_labels_{part}.csv", index=False)
        boxes.to_csv(place / f"annotations_{part}.csv", index=False)


def there(image: Radiograph) -> Seen:
    """Return the true boxes of an image, by name of the finding."""
    found = {NAMES[drawn.finding.kind]: drawn for drawn in image.drawn if drawn.finding.kind in NAMES}
    return {name: drawn.boxes.astype(float) for name, drawn in found.items()}


def read_by_three(truth: Seen, key: int, side: int) -> dict[str, Seen]:
    """Return the boxes of three of the seventeen readers, who miss findings and draw boxes differently."""
    rng = np.random.default_rng(key)
    readers = sorted(rng.choice(len(READERS), PER_IMAGE, replace=False))
    readings = {}
    for reader in readers:
        seen = {name: boxes for name, boxes in truth.items() if rng.random() >= MISSED}
        readings[READERS[reader]] = {name: _redrawn(boxes, rng, side) for name, boxes in seen.items()}
    return readings


def _redrawn(boxes: np.ndarray, rng: np.random.Generator, side: int) -> np.ndarray:
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    drawn = boxes + JITTER * sides * np.clip(rng.standard_normal(boxes.shape), -3, 3)
    return np.round(np.clip(drawn, 0, side), 1)


def image_labels(seen: Seen) -> dict[str, int]:
    """Return 0 or 1 for every finding and diagnosis; a consolidation is also an opacity and pneumonia."""
    names = set(seen)
    if "Consolidation" in names:
        names |= {"Lung Opacity", "Pneumonia"}
    return {name: int(name in names) for name in (*LOCAL, *WHOLE[:-1])} | {NO_FINDING: int(not names)}


def box_rows(seen: Seen) -> list[dict]:
    """Return one row per box, or a row "No finding" if there is no box."""
    rows = [
        {"class_name": name, **dict(zip(CORNERS, box, strict=True))}
        for name, boxes in seen.items()
        for box in boxes.tolist()
    ]
    return rows or [{"class_name": NO_FINDING, **dict.fromkeys(CORNERS)}]
