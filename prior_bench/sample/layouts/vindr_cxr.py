"""The VinDr-CXR layout of PhysioNet: DICOM images, three readers' labels and boxes, a consensus in test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.vindr_cxr.files import CORNERS, NO_FINDING
from prior_bench.sample.cohort import CaseMix, Patient, draw_cohort
from prior_bench.sample.drawing.render import Radiograph, render
from prior_bench.sample.layouts.image_files import digest, write_dicom
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
    "pneumothorax": "Pneumothorax",
}
READERS = tuple(f"R{number}" for number in range(1, 18))
PER_IMAGE = 3
MISSED = 0.15
"""Chance that a reader overlooks a finding."""
JITTER = 0.04
"""Standard deviation of a reader's corners, as a share of the box's sides."""
TEST_SHARE = 0.2
MIX = CaseMix(studies=(1,), lateral=0.0, second_frontal=0.0)

Seen = dict[str, np.ndarray]
"""Boxes, float [n, 4], by the name of a finding."""


def cohort(size: Size, seed: int) -> list[Patient]:
    """The patients of this data set, one image each."""
    return draw_cohort(NAME, size.vindr_cxr, seed, MIX)


def write(root: Path, size: Size, seed: int) -> Iterator[None]:
    """Write images and the four tables under ``root``; yields after every image."""
    patients = cohort(size, seed)
    tested = len(patients) - round(TEST_SHARE * len(patients))
    labels: dict[str, list[dict]] = {"train": [], "test": []}
    boxes: dict[str, list[dict]] = {"train": [], "test": []}
    for patient in patients:
        part, name = "test" if patient.number >= tested else "train", digest(NAME, patient.key)[:32]
        study = patient.studies[0]
        image = render(patient, study, study.views[0], size.side)
        digits = int(digest(NAME, name)[:12], 16)
        uids = tuple(f"1.2.276.0.7230010.3.1.{level}.8323329.{digits}" for level in (2, 3, 4))
        write_dicom(root / part / f"{name}.dicom", image.pixels, uids, PatientSex=patient.sex)
        truth = there(image)
        readings = {"": truth} if part == "test" else read_by_three(truth, patient.key, size.side)
        for reader, seen in readings.items():
            who = {"image_id": name} | ({"rad_id": reader} if reader else {})
            labels[part].append(who | image_labels(seen))
            boxes[part] += [who | row for row in box_rows(seen)]
        yield
    (root / "annotations").mkdir()
    for part in labels:
        place = root / "annotations"
        # the original has one name in train and another in test
        spelled = {"Other diseases": "Other disease"} if part == "test" else {}
        table = pd.DataFrame(labels[part]).rename(columns=spelled)
        table.to_csv(place / f"image_labels_{part}.csv", index=False)
        pd.DataFrame(boxes[part]).to_csv(place / f"annotations_{part}.csv", index=False)


def there(image: Radiograph) -> Seen:
    """What is on the image."""
    found = {NAMES[drawn.finding.kind]: drawn for drawn in image.drawn if drawn.finding.kind in NAMES}
    return {name: drawn.boxes.astype(float) for name, drawn in found.items()}


def read_by_three(truth: Seen, key: int, side: int) -> dict[str, Seen]:
    """What three of the seventeen readers see: a finding may be overlooked, and no box is twice the same."""
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
    """One number for every finding and diagnosis; a consolidation is also called an opacity and pneumonia."""
    names = set(seen)
    if "Consolidation" in names:
        names |= {"Lung Opacity", "Pneumonia"}
    return {name: int(name in names) for name in (*LOCAL, *WHOLE[:-1])} | {NO_FINDING: int(not names)}


def box_rows(seen: Seen) -> list[dict]:
    """One row per box, or one that says that there is none."""
    rows = [
        {"class_name": name, **dict(zip(CORNERS, box, strict=True))}
        for name, boxes in seen.items()
        for box in boxes.tolist()
    ]
    return rows or [{"class_name": NO_FINDING, **dict.fromkeys(CORNERS)}]
