"""The few images that all rows of a rehearsal's data set share."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image

from prior_bench.data.tables.shared_images import NAMES
from prior_bench.sample.cohort import CaseMix, draw_cohort
from prior_bench.sample.cohorts import TEST
from prior_bench.sample.drawing.render import render
from prior_bench.sample.layouts.image_files import write_dicom, write_jpeg, write_png

COUNT = 32
"""Number of images of a data set."""
DRAWN = 128
"""Side at which they are drawn, in pixels, before they are enlarged."""
FORMS = {
    "chexpert": (".jpg", (390, 320)),
    "rsna_pneumonia": (".dcm", (1024, 1024)),
    "siim_acr": (".dcm", (1024, 1024)),
    "nih_chestxray14": (".png", (1024, 1024)),
    "vindr_cxr": (".dicom", (1024, 1024)),
    "covidx": (".png", (480, 480)),
    "object_cxr": (".jpg", (1024, 1024)),
    "mimic_cxr": (".jpg", (1024, 1024)),
}
"""Format, and width and height in pixels. Where the real images are larger (VinDr-CXR, Object-CXR and
MIMIC-CXR), reading takes less time than it will."""


def write_images(kind: str, root: Path) -> None:
    """Write the images of a data set, and the list of them."""
    suffix, size = FORMS[kind]
    names = []
    for number, patient in enumerate(draw_cohort("rehearsal", COUNT, TEST, CaseMix(studies=(1,)))):
        study = patient.studies[0]
        drawn = render(patient, study, study.views[0], DRAWN).pixels
        pixels = np.asarray(Image.fromarray(drawn).resize(size, Image.Resampling.BILINEAR))
        name = f"shared/{number:03d}{suffix}"
        write_image(root / name, pixels, number)
        names.append(name)
    (root / NAMES).write_text(json.dumps(names))


def write_image(path: Path, pixels: np.ndarray, number: int) -> None:
    """Write an image in the format of its suffix."""
    if path.suffix == ".jpg":
        write_jpeg(path, pixels)
    elif path.suffix == ".png":
        write_png(path, pixels)
    else:
        uids = tuple(f"1.2.276.0.7230010.3.1.{level}.8323329.{number}" for level in (2, 3, 4))
        write_dicom(path, pixels, uids)
