"""The SIIM-ACR Pneumothorax Segmentation layout (stage 1): DICOM images, run-length encoded masks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from prior_bench.sample.cohort import CaseMix, Patient, draw_cohort
from prior_bench.sample.cohorts import Benchmark
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts import EVERYONE, Record
from prior_bench.sample.layouts.image_files import digest, who, write_dicom
from prior_bench.sample.sizes import Size

NAME = "siim_acr"
IMAGES = "dicom-images-train"
HEADER = "ImageId, EncodedPixels"
"""Header of the table, with the space before the second name that the Kaggle file has."""
SPLIT_SHARE = 0.25
"""Share of the positive images whose mask is divided into two rows."""
MIX = CaseMix(
    primary={
        "healthy": 5,
        "atelectasis": 1,
        "cardiomegaly": 1,
        "consolidation": 1,
        "edema": 1,
        "lesion": 1,
        "effusion": 1,
        "pneumothorax": 5,
    },
    alone=0.5,
    studies=(1,),
    lateral=0.0,
    second_frontal=0.0,
)


@cache
def cohort(size: Size, benchmark: Benchmark) -> list[Patient]:
    """Return the patients of this data set, with one image each."""
    return draw_cohort(NAME, size.siim, benchmark.test, MIX)


def write(root: Path, size: Size, benchmark: Benchmark, chosen: slice = EVERYONE) -> Iterator[Record]:
    """Write the images of some patients under ``root`` and yield their lines."""
    for patient in cohort(size, benchmark)[chosen]:
        study = patient.studies[0]
        image = render(patient, study, study.views[0], size.side)
        uids = image_uids(patient)
        tags = {"PatientID": digest(NAME, *who(patient))[:36], "PatientSex": patient.sex}
        tags |= {"PatientAge": f"{patient.age:03d}Y", "ViewPosition": study.views[0].position}
        write_dicom(root / IMAGES / uids[0] / uids[1] / f"{uids[2]}.dcm", image.pixels, uids, **tags)
        regions = split_mask(image.mask("pneumothorax"), patient.key)
        yield {"lines": [f"{uids[2]}, {encode(region)}" for region in regions] or [f"{uids[2]}, -1"]}


def finish(root: Path, size: Size, benchmark: Benchmark, records: Sequence[Record]) -> None:
    """Write the run-length table."""
    lines = [HEADER, *(line for record in records for line in record["lines"])]
    (root / "train-rle.csv").write_text("\n".join(lines) + "\n")


def image_uids(patient: Patient) -> tuple[str, str, str]:
    """Return the UIDs of study, series and image; the last one is the image's id."""
    number, moment = 1000 + patient.number, int(digest(NAME, *who(patient))[:5], 16)
    study, series, image = (
        f"1.2.276.0.7230010.3.1.{level}.8323329.{number}.1517875{moment % 1000:03d}.{moment}"
        for level in (2, 3, 4)
    )
    return study, series, image


def split_mask(mask: np.ndarray, key: int) -> list[np.ndarray]:
    """Divide a mask (bool [height, width]) into the annotator's regions: none, one or two."""
    rows = np.flatnonzero(mask.any(axis=1))
    if not len(rows):
        return []
    if key % 1000 >= 1000 * SPLIT_SHARE or len(rows) < 4:
        return [mask]
    above = np.arange(len(mask))[:, None] < rows[len(rows) // 2]
    return [mask & above, mask & ~above]


def encode(mask: np.ndarray) -> str:
    """Encode a non-empty mask as relative run lengths, column by column: gap, length, gap, length, ..."""
    flat = np.concatenate(([0], mask.T.ravel().astype(np.int8), [0]))
    bounds = np.flatnonzero(np.diff(flat))
    return " ".join(map(str, np.diff(bounds, prepend=0).tolist()))
