"""The COVIDx layout: lists of version 9A (three classes) and of CXR-4 (two classes) for the same folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from prior_bench.sample.cohort import CaseMix, Patient, draw_cohort, split_patients
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import digest, who, write_png
from prior_bench.sample.sizes import Size

NAME = "covidx"
SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}
LISTS_9A = {"train": "train_COVIDx9A.txt", "test": "test_COVIDx9A.txt"}
LISTS_CXR4 = {part: f"{part}.txt" for part in SHARES}
SOURCES = {"normal": "rsna", "pneumonia": "rsna", "COVID-19": "bimcv"}
"""Source collection of each class; as in the original, class and collection are correlated."""
MIX = CaseMix(
    primary={"healthy": 3, "consolidation": 6, "effusion": 1},
    alone=0.8,
    studies=(1,),
    lateral=0.0,
    second_frontal=0.0,
)


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients, with one image each; COVID-19 is consolidation of both lungs, pneumonia of one."""
    return [_with_class(patient) for patient in draw_cohort(NAME, size.covidx, benchmark.test, MIX)]


def _with_class(patient: Patient) -> Patient:
    both = patient.key % 2 == 0
    one_side = "left" if patient.key % 4 == 1 else "right"
    study = patient.studies[0]
    findings = tuple(
        replace(finding, side="bilateral" if both else one_side)
        if finding.kind == "consolidation"
        else finding
        for finding in study.findings
    )
    return replace(patient, studies=(replace(study, findings=findings),))


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their lines in the lists."""
    patients = cohort(size, benchmark)
    parts = split_patients(patients, SHARES, benchmark.test.seed)
    for patient in patients[chosen]:
        part, name, kind = parts[patient.number], f"{digest(NAME, *who(patient))[:32]}.png", class_of(patient)
        study = patient.studies[0]
        write_png(root / part / name, render(patient, study, study.views[0], size.side).pixels)
        binary = "positive" if kind == "COVID-19" else "negative"
        number = patient.number + 1
        lines = {LISTS_CXR4[part]: f"{number} {name} {binary} {SOURCES[kind]}"}
        if part in LISTS_9A:
            lines[LISTS_9A[part]] = f"{number} {name} {kind} {SOURCES[kind]}"
        yield lines


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write all lists."""
    for name in (*LISTS_9A.values(), *LISTS_CXR4.values()):
        lines = [record[name] for record in records if name in record]
        (root / name).write_text("\n".join(lines) + "\n")


def class_of(patient: Patient) -> str:
    """Return the patient's class in version 9A, which has three classes."""
    sides = [finding.side for finding in patient.studies[0].findings if finding.kind == "consolidation"]
    return "normal" if not sides else "COVID-19" if sides[0] == "bilateral" else "pneumonia"
