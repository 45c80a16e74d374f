"""MIMIC-CXR-JPG's three tables, the archive of reports, and a list of 5x200, computed."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.readers.chexpert.labels import FIVE
from prior_bench.data.readers.mimic_cxr.five_by_200 import IMAGE_LIST
from prior_bench.data.readers.mimic_cxr.reader import REPORT_ZIP
from prior_bench.rehearsal.chexpert import OTHERS, SHARES
from prior_bench.rehearsal.counts import MIMIC_IMAGES, MIMIC_PARTS, MIMIC_PATIENTS, MIMIC_STUDIES
from prior_bench.sample.cohort import CaseMix, draw_cohort
from prior_bench.sample.cohorts import TEST
from prior_bench.sample.layouts.mimic_cxr import PREFIX, format_report
from prior_bench.sample.reports.language import LABELS, write_report

TEXTS = 400
"""Patients whose reports are repeated; each copy ends with a sentence of its own."""
VIEWS = {"AP": 0.39, "PA": 0.255, "LATERAL": 0.355}
"""Shares of the views: 243,334 of 377,110 images are AP or PA."""


def write(root: Path, public: Path | None) -> None:
    """Write the tables and the archive; there are no public ones."""
    rng = np.random.default_rng(MIMIC_IMAGES)
    parts = np.full(MIMIC_PATIENTS, "train", dtype=object)
    order, start, patients_of = rng.permutation(MIMIC_PATIENTS), 0, [np.arange(MIMIC_PATIENTS)]
    for part, (patients, count) in MIMIC_PARTS.items():
        chosen = order[start : start + patients]
        parts[chosen], start = part, start + patients
        patients_of.append(rng.choice(chosen, size=count - patients))  # each patient has one already
    patient = np.sort(np.concatenate(patients_of))
    subject = 10_000_000 + patient * 152
    study = 50_000_000 + np.arange(MIMIC_STUDIES) * 43
    further = rng.integers(MIMIC_STUDIES, size=MIMIC_IMAGES - MIMIC_STUDIES)
    of_image = np.sort(np.concatenate([np.arange(MIMIC_STUDIES), further]))
    view = rng.choice(list(VIEWS), size=MIMIC_IMAGES, p=list(VIEWS.values()))
    digits = rng.bytes(20 * MIMIC_IMAGES).hex()
    names = ["-".join(digits[a + b : a + b + 8] for b in range(0, 40, 8)) for a in range(0, len(digits), 40)]
    ids = {"dicom_id": names, "study_id": study[of_image], "subject_id": subject[of_image]}
    _table(root, "metadata", pd.DataFrame({**ids, "ViewPosition": view}))
    _table(root, "split", pd.DataFrame({**ids, "split": parts[patient[of_image]]}))
    labels = pd.DataFrame({"subject_id": subject, "study_id": study})
    for name in sorted(LABELS):
        positive, uncertain, negative = SHARES.get(name, OTHERS)
        chances = [positive, uncertain, negative, 1 - positive - uncertain - negative]
        labels[name] = rng.choice([1.0, -1.0, 0.0, np.nan], size=MIMIC_STUDIES, p=chances)
    _table(root, "chexpert", labels)
    single = labels[list(FIVE)].eq(1) & labels[list(FIVE)].eq(1).sum(axis=1).eq(1).to_numpy()[:, None]
    frontal = pd.DataFrame(ids)[view != "LATERAL"].drop_duplicates("study_id").set_index("study_id")
    listed = [frontal.reindex(labels["study_id"][single[name]]).dropna()[:200] for name in FIVE]
    pd.concat(listed).reset_index().to_csv(root / IMAGE_LIST, index=False)
    _write_reports(root, subject, study)


def _write_reports(root: Path, subject: np.ndarray, study: np.ndarray) -> None:
    drawn = draw_cohort("rehearsal", TEXTS, TEST, CaseMix(studies=(1,)))
    texts = [format_report(write_report(patient, patient.studies[0])).rstrip() for patient in drawn]
    with zipfile.ZipFile(root / REPORT_ZIP, "w", zipfile.ZIP_STORED) as archive:
        for number, (person, one) in enumerate(zip(subject.tolist(), study.tolist(), strict=True)):
            name = f"files/p{str(person)[:2]}/p{person}/s{one}.txt"
            archive.writestr(name, f"{texts[number % len(texts)]} Copy {one}.\n")


def _table(root: Path, name: str, table: pd.DataFrame) -> None:
    packed = {"method": "gzip", "compresslevel": 1, "mtime": 0}
    table.to_csv(root / f"{PREFIX}-{name}.csv.gz", index=False, compression=packed)
