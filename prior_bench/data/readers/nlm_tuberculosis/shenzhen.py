"""Read the Shenzhen Hospital chest X-ray set (Jaeger et al. 2014) from the files of the NLM.

Names of folders and files, and the form of the readings, are taken from public code (``files.py``). The masks
are those that Stirenko et al. 2018 published on Kaggle (yoctoman/shcxr-lung-mask), for 566 images.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from prior_bench.data.annotations.masks import FileMask
from prior_bench.data.cards import Card
from prior_bench.data.manifest import NO_PATIENTS, Manifest
from prior_bench.data.readers.nlm_tuberculosis.files import (
    LABEL,
    READINGS,
    Reading,
    age_in_years,
    home,
    read_readings,
)
from prior_bench.data.splitting.rules import SHARES, Rule, apply_rule, by_group, describe, shares_of_splits
from prior_bench.data.tables.listed_images import present, require_images

PREFIX = "CHNCXR"
FOLDERS = ("ChinaSet_AllFiles",)
"""Folder that unpacking the download creates."""
MASKS = ("mask", "masks", "mask/mask")
"""Folders in which masks are looked for: as Kaggle's archive has them, and in its re-pack of both sets."""


def read(root: Path, *, split: str = "default", missing: str = "error") -> Manifest:
    """Read one row per image, with its label, the clinical reading as report, and the lung masks found.

    Args:
        root: folder with ``CXR_png/`` and ``ClinicalReadings/``, or the one above it; masks in ``mask/``.
        split: a name in :data:`RULES`.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    root = home(root, FOLDERS)
    table = read_readings(root, PREFIX, parse_reading)
    table = apply_rule(split, RULES, table, "shenzhen")
    table, absent = require_images(table, root, missing=missing, where=root / READINGS)
    notes = [NO_PATIENTS, *absent]
    folder = next((name for name in MASKS if any((root / name).glob(f"{PREFIX}_*"))), None)
    if folder is not None:
        files = [f"{folder}/{name}_mask.png" for name in table["id"]]
        there = present(root, files)
        masks = [FileMask(file, root) if found else None for file, found in zip(files, there, strict=True)]
        table["mask"] = pd.Series(masks, dtype=object)
        notes.append(f"{int(there.sum())} of {len(table)} images have a lung mask, in {folder}/")
    return Manifest("shenzhen", root, table, labels=(LABEL,), split_rule=split, notes=tuple(notes))


def parse_reading(lines: list[str]) -> Reading:
    """Read "male 45yrs" in the first line, also misspelt ("femal 32yrs"), and the lines below it."""
    sex = re.match(r"\W*(fe)?mal", lines[0], re.I)
    found = None if sex is None else "F" if sex[1] else "M"
    return found, age_in_years(lines[0]), "\n".join(lines[1:])


# --- split rules --------------------------------------------------------------------------------------


def default_split(table: pd.DataFrame) -> pd.DataFrame:
    """70/15/15, seed 0, with the same share of tuberculosis in each (there is no official split)."""
    return by_group(table, shares_of_splits(SHARES), stratify=[LABEL])


RULES: dict[str, Rule] = {"default": default_split}
"""Split rules by name."""

CARD = Card(
    title="Shenzhen Hospital chest X-ray set (NLM)",
    what="Postero-anterior radiographs of the out-patient clinics of Shenzhen No. 3 Hospital: 326 are "
    "normal, 336 have signs of tuberculosis. Each has a short reading; others published lung masks for 566.",
    size="662 images (PNG, about 3000 x 3000); 3.8 GB",
    source="https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets/"
    "Shenzhen-Hospital-CXR-Set/index.html; masks: https://www.kaggle.com/datasets/yoctoman/shcxr-lung-mask",
    access="open, no account; cite Jaeger et al., Quant Imaging Med Surg 2014;4(6):475; masks: CC BY-NC-SA "
    "4.0, cite Stirenko et al., arXiv 1803.01199",
    tree="""
CXR_png/CHNCXR_0001_0.png            (last digit: 0 normal, 1 tuberculosis)
ClinicalReadings/CHNCXR_0001_0.txt   male 45yrs / normal
mask/CHNCXR_0001_0_mask.png          (from Kaggle; optional; or masks/)
""",
    splits=describe(RULES),
    options={"missing": "error, or skip absent images"},
    caveats=(
        "The NLM's files were not at hand: names and forms are taken from public code, which agrees "
        "(unverified).",
        "Images without a mask file count as not annotated; without mask/ there are no masks.",
        "The reading states the label ('normal', 'PTB'): a report is no independent evidence of it.",
        "TBX11K's archive has these images, in imgs/extra: a model trained on them has seen them.",
        "The images show their hospital, and normal and abnormal ones may differ by more than the disease.",
    ),
    annotations=("labels", "masks", "reports"),
    published={"all": {"images": (662,), f"positive: {LABEL}": (336,)}},
    watched=tuple(
        f"{folder}{pattern}"
        for folder in ("", f"{FOLDERS[0]}/")
        for pattern in (f"{READINGS}/*.txt", *(f"{name}/*.png" for name in MASKS))
    ),
)
