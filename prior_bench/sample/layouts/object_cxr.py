"""The Object-CXR layout as repackaged on Kaggle: rectangles, ellipses and polygons around foreign objects."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from scipy.ndimage import label
from scipy.spatial import ConvexHull

from prior_bench.sample.cohort import CaseMix, Patient, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.findings import Drawn
from prior_bench.sample.drawing.objects import DEVICES, VARIANTS
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import write_jpeg
from prior_bench.sample.sizes import Size

NAME = "object_cxr"
PARTS = {"train": 0.7, "dev": 0.15, "test": 0.15}
EXTERNAL = tuple(name for name in VARIANTS if name not in DEVICES)
"""Objects on the patient; the original does not annotate devices in the patient."""
RECTANGLE, ELLIPSE, POLYGON = "0", "1", "2"
TOOLS = {"coin": ELLIPSE, "buttons": RECTANGLE, "necklace": POLYGON}
"""Annotation tool for each kind of object."""
CRUMB = 4
"""Number of pixels; smaller parts of an object are not annotated."""
MIX = CaseMix(
    primary={"healthy": 3, "cardiomegaly": 1, "effusion": 1, "foreign_object": 5},
    alone=0.8,
    studies=(1,),
    lateral=0.0,
    second_frontal=0.0,
    device=0.0,
)


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients, with one image each; half of them have an external object."""
    return [_with_external(patient) for patient in draw_cohort(NAME, size.object_cxr, benchmark.test, MIX)]


def _with_external(patient: Patient) -> Patient:
    study = patient.studies[0]
    findings = tuple(
        replace(finding, variant=EXTERNAL[finding.seed % len(EXTERNAL)])
        if finding.kind == "foreign_object"
        else finding
        for finding in study.findings
    )
    return replace(patient, studies=(replace(study, findings=findings),))


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their rows."""
    patients = cohort(size, benchmark)
    bounds = np.rint(np.cumsum(list(PARTS.values())) * len(patients)).astype(int)
    for place in range(len(patients))[chosen]:
        patient, part = patients[place], list(PARTS)[int(np.searchsorted(bounds, place, side="right"))]
        study, name = patient.studies[0], f"{patient.number + 1:05d}.jpg"
        image = render(patient, study, study.views[0], size.side)
        write_jpeg(root / part / name, image.pixels)
        outlines = [text for drawn in image.drawn for text in outlined(drawn)]
        yield {"part": part, "row": (name, ";".join(outlines))}


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write the three label files."""
    for part in PARTS:
        lines = [record["row"] for record in records if record["part"] == part]
        with open(root / f"{part}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([("image_name", "annotation"), *lines])


def outlined(drawn: Drawn) -> list[str]:
    """Return each separate part of a foreign object as ``type x1 y1 x2 y2 ...``; [] for other findings."""
    if drawn.finding.kind != "foreign_object":
        return []
    parts, count = label(drawn.mask, structure=np.ones((3, 3)))
    tool = TOOLS[drawn.finding.variant]
    masks = [parts == number for number in range(1, count + 1)]
    return [_outline(tool, mask) for mask in masks if mask.sum() >= CRUMB]


def _outline(tool: str, mask: np.ndarray) -> str:
    y, x = np.nonzero(mask)
    flat = x.min() == x.max() or y.min() == y.max()
    if tool == POLYGON and not flat:
        corners = np.stack((x, y), axis=1)
        numbers = corners[ConvexHull(corners, qhull_options="QJ").vertices].ravel()
    else:
        numbers = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
        tool = RECTANGLE if flat else tool
    return " ".join([tool, *map(str, numbers.tolist())])
