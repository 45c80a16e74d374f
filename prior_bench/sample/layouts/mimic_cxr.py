"""The MIMIC-CXR-JPG 2.x tree (Johnson et al. 2019), with the reports in the same ``files`` folder."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from prior_bench.sample.cohort import CaseMix, Patient, Study, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record, ms_cxr
from prior_bench.sample.layouts.image_files import digest, who, write_jpeg
from prior_bench.sample.reports.language import LABELS, Report, write_report
from prior_bench.sample.sizes import Size

NAME = "mimic_cxr"
PARTS = ("train", "validate", "test")
PREFIX = "mimic-cxr-2.0.0"
VIEW_NAMES = {"PA": "postero-anterior", "AP": "antero-posterior", "LATERAL": "lateral"}


def cohorts(size: Size, benchmark: Benchmark) -> dict[str, list[Patient]]:
    """Return the patients of ``train``, ``validate`` and ``test``, who are different people."""
    pretrained = (size.mimic_train, size.mimic_validate) if benchmark.pretrains else (size.mimic_unused,) * 2
    drawn: dict[str, list[Patient]] = {}
    before = 0
    for part, count in zip(PARTS, (*pretrained, size.mimic_test), strict=True):
        people = benchmark.test if part == "test" else benchmark.pretraining
        drawn[part] = draw_cohort(f"{NAME}/{part}", count, people, CaseMix(), after=before)
        before += count
    return drawn


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return all patients of this data set, part by part."""
    return [patient for patients in cohorts(size, benchmark).values() for patient in patients]


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images and reports of some patients under ``root``; yield their rows and annotations."""
    parts = _parts(size, benchmark)
    for patient in cohort(size, benchmark)[chosen]:
        subject = subject_id(patient)
        for study in patient.studies:
            number = study_id(patient, study)
            folder = root / "files" / f"p{str(subject)[:2]}" / f"p{subject}" / f"s{number}"
            report = write_report(patient, study)
            folder.mkdir(parents=True)
            folder.with_suffix(".txt").write_text(format_report(report))
            for i, view in enumerate(study.views):
                name, part = dicom_id(patient, study, i), parts[patient.number]
                image = render(patient, study, view, size.side)
                write_jpeg(folder / f"{name}.jpg", image.pixels)
                record: Record = {
                    "metadata": _metadata(name, subject, number, study, view.position, size.side),
                    "split": (name, number, subject, part),
                }
                if i == 0:
                    said = (report.labels.get(label) for label in sorted(LABELS))
                    record["labels"] = (subject, number, *said)
                if view.position != "LATERAL":
                    path = (folder / f"{name}.jpg").relative_to(root).as_posix()
                    record["grounding"] = ms_cxr.ground(path, part, image, report)
                yield record


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write the three tables and the annotations of sentences."""
    _table(root, "metadata", pd.DataFrame([record["metadata"] for record in records]))
    columns = ["dicom_id", "study_id", "subject_id", "split"]
    _table(root, "split", pd.DataFrame([record["split"] for record in records], columns=columns))
    labels = [record["labels"] for record in records if "labels" in record]
    columns = ["subject_id", "study_id", *sorted(LABELS)]
    _table(root, "chexpert", pd.DataFrame(labels, columns=columns).astype(dict.fromkeys(LABELS, float)))
    ms_cxr.write(root, [record["grounding"] for record in records if "grounding" in record])


@cache
def _parts(size: Size, benchmark: Benchmark) -> dict[int, str]:
    """Return the part of each patient, by patient number."""
    drawn = cohorts(size, benchmark)
    return {patient.number: part for part, patients in drawn.items() for patient in patients}


SPREAD = 9001
"""A prime number greater than all patient numbers; it distributes consecutive patients over the folders."""


def subject_id(patient: Patient) -> int:
    """Return eight digits, distributed over the folders p10 to p19 and unique over all cohorts."""
    return 10_000_000 + patient.number * 4001 % SPREAD * 1109 + patient.key % 1109


def study_id(patient: Patient, study: Study) -> int:
    """Return eight digits that start with 5 and are unique over all cohorts."""
    return 50_000_000 + (patient.number * 16 + study.number) * 61 + patient.key % 61


def dicom_id(patient: Patient, study: Study, view: int) -> str:
    """Return five groups of eight hexadecimal digits."""
    digits = digest(NAME, *who(patient), study.number, view)
    return "-".join(digits[i : i + 8] for i in range(0, 40, 8))


def format_report(report: Report) -> str:
    """Format a report as on PhysioNet: headings in capitals, and one space before every line."""
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
    packed = {"method": "gzip", "mtime": 0}  # with a time stamp, two runs would differ
    table.to_csv(root / f"{PREFIX}-{name}.csv.gz", index=False, compression=packed)
