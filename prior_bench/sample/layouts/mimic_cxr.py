"""The MIMIC-CXR-JPG 2.x tree (Johnson et al. 2019), reports in the same ``files`` folder."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort, split_patients
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts.image_files import digest, write_jpeg
from prior_bench.sample.reports.language import LABELS, Report, write_report
from prior_bench.sample.sizes import Size

NAME = "mimic_cxr"
SHARES = {"train": 0.80, "validate": 0.04, "test": 0.16}
PREFIX = "mimic-cxr-2.0.0"
VIEW_NAMES = {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}


def cohort(size: Size, seed: int) -> list[Patient]:
    """The patients of this data set."""
    return draw_cohort(NAME, size.mimic, seed, CaseMix())


def write(root: Path, size: Size, seed: int) -> Iterator[None]:
    """Write images, reports and the three tables under ``root``; yields after every image."""
    patients = cohort(size, seed)
    splits = split_patients(patients, SHARES, seed)
    metadata, split_rows, labels = [], [], []
    for patient in patients:
        subject = subject_id(patient)
        for study in patient.studies:
            number = study_id(patient, study)
            folder = root / "files" / f"p{str(subject)[:2]}" / f"p{subject}" / f"s{number}"
            report = write_report(patient, study)
            for i, view in enumerate(study.views):
                name = dicom_id(patient, study, i)
                write_jpeg(folder / f"{name}.jpg", render(patient, study, view, size.side).pixels)
                metadata.append(_metadata(name, subject, number, study, view.position, size.side))
                split_rows.append((name, number, subject, splits[patient.number]))
                yield
            folder.with_suffix(".txt").write_text(format_report(report))
            labels.append((subject, number, *(report.labels.get(label, np.nan) for label in sorted(LABELS))))
    _table(root, "metadata", pd.DataFrame(metadata))
    _table(root, "split", pd.DataFrame(split_rows, columns=["dicom_id", "study_id", "subject_id", "split"]))
    columns = ["subject_id", "study_id", *sorted(LABELS)]
    _table(root, "chexpert", pd.DataFrame(labels, columns=columns).astype(dict.fromkeys(LABELS, float)))


def subject_id(patient: Patient) -> int:
    """Eight digits, spread over the folders p10 to p19."""
    return 10_000_000 + patient.number * 20_011 % 9_900_000 + patient.key % 20_011


def study_id(patient: Patient, study: Study) -> int:
    """Eight digits starting with 5, unique to the study."""
    return 50_000_000 + (patient.number * 16 + study.number) * 613 + patient.key % 613


def dicom_id(patient: Patient, study: Study, view: int) -> str:
    """Five groups of eight hexadecimal digits."""
    digits = digest(NAME, patient.key, study.number, view)
    return "-".join(digits[i : i + 8] for i in range(0, 40, 8))


def format_report(report: Report) -> str:
    """A report as it is on PhysioNet: capital headings, every line set in by one blank."""
    blocks = [
        f"EXAMINATION:  {report.examination}",
        f"INDICATION:  {report.indication}",
        f"COMPARISON:  {report.comparison}",
    ]
    if report.findings:
        blocks += ["FINDINGS:", " ".join(report.findings)]
    if report.impression:
        blocks += ["IMPRESSION:", _impression(report.impression)]
    lines = [
        f" {line}"
        for block in blocks
        for part in block.split("\n")
        for line in (*textwrap.wrap(part, 78), "")
    ]
    return "\n".join([" " * 33 + "FINAL REPORT", *lines])


def _impression(sentences: tuple[str, ...]) -> str:
    if len(sentences) in (2, 3) and len(sentences[0]) % 2:
        return "\n".join(f"{i}.  {sentence}" for i, sentence in enumerate(sentences, 1))
    return " ".join(sentences)


def _metadata(name: str, subject: int, number: int, study: Study, position: str, side: int) -> dict:
    portable = study.views[0].position == "AP"
    procedure = "CHEST (PORTABLE AP)" if portable else "CHEST (PA AND LAT)"
    return {
        "dicom_id": name,
        "subject_id": subject,
        "study_id": number,
        "PerformedProcedureStepDescription": procedure,
        "ViewPosition": position,
        "Rows": side,
        "Columns": side,
        "StudyDate": 21500101 + 10_000 * study.number,
        "StudyTime": f"{number % 24:02d}{number % 59:02d}{number % 53:02d}.{number % 1000:03d}",
        "ProcedureCodeSequence_CodeMeaning": procedure,
        "ViewCodeSequence_CodeMeaning": VIEW_NAMES[position],
        "PatientOrientationCodeSequence_CodeMeaning": "Erect",
    }


def _table(root: Path, name: str, table: pd.DataFrame) -> None:
    packed = {"method": "gzip", "mtime": 0}  # a time stamp would make two runs differ
    table.to_csv(root / f"{PREFIX}-{name}.csv.gz", index=False, compression=packed)
