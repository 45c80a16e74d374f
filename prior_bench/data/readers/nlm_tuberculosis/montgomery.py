"""Read the Montgomery County chest X-ray set (Jaeger et al. 2014) from the files of the NLM.

Names of folders and files, and the form of the readings, are taken from public code (``files.py``).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import FileMask, UnionMask
from prior_bench.data.cards import Card
from prior_bench.data.manifest import NO_PATIENTS, Manifest
from prior_bench.data.readers.nlm_tuberculosis.files import (
    IMAGES,
    LABEL,
    READINGS,
    Reading,
    age_in_years,
    home,
    read_readings,
)
from prior_bench.data.splitting.rules import SHARES, Rule, apply_rule, by_group, describe, shares_of_splits
from prior_bench.data.tables.listed_images import present, require_images
from prior_bench.errors import BenchError, unknown_name

PREFIX = "MCUCXR"
FOLDERS = ("MontgomerySet", "NLM-MontgomeryCXRSet/MontgomerySet")
"""Folders that unpacking the download creates."""
SIDES = {"both": ("left", "right"), "left": ("left",), "right": ("right",)}
MASKS, MERGED = "ManualMask", "masks"
"""Folder of the masks of single lungs, and of the masks of both lungs in the Kaggle re-pack."""


def read(root: Path, *, split: str = "default", lung: str = "both", missing: str = "error") -> Manifest:
    """Read one row per image, with its label, the clinical reading as report, and the mask of the lungs.

    Args:
        root: folder with ``CXR_png/``, ``ClinicalReadings/`` and ``ManualMask/``, or the one above it.
        split: a name in :data:`RULES`.
        lung: ``"both"`` lungs in the mask, or only the ``"left"`` or the ``"right"``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    if lung not in SIDES:
        raise unknown_name("choice of lungs", lung, list(SIDES), where="montgomery")
    root = home(root, FOLDERS)
    table = read_readings(root, PREFIX, parse_reading)
    table = apply_rule(split, RULES, table, "montgomery")
    table, absent = require_images(table, root, missing=missing, where=root / READINGS)
    table["mask"] = _masks(table, root, lung)
    return Manifest(
        "montgomery", root, table, labels=(LABEL,), split_rule=split, notes=(NO_PATIENTS, *absent)
    )


def parse_reading(lines: list[str]) -> Reading:
    """Read "Patient's Sex: F", "Patient's Age: 027Y", and the lines below them."""
    head = [line for line in lines if line.startswith("Patient's ")]
    sex = re.search(r"Sex:\s*([FM])", "\n".join(head))
    ages = [age_in_years(line) for line in head if "Age:" in line]
    text = "\n".join(line for line in lines if line not in head)
    return sex[1] if sex else None, ages[0] if ages else float("nan"), text


def _masks(table: pd.DataFrame, root: Path, lung: str) -> pd.Series:
    """The masks of the images, each of one file per lung, or of one file for both in the re-pack."""
    if (root / MASKS).is_dir():
        folders = [f"{MASKS}/{side}Mask" for side in SIDES[lung]]
    elif (root / MERGED).is_dir() and lung == "both":
        folders = [MERGED]
    else:
        fix = f"unpack it beside {IMAGES}/"
        if (root / MERGED).is_dir():
            fix += f"; {MERGED}/ has both lungs in one mask, so that lung must be 'both'"
        raise BenchError(f"{MASKS}/ is missing", where=root, fix=fix)
    for folder in folders:
        there = present(root, [f"{folder}/{name}.png" for name in table["id"]])
        if not there.all():
            what = f"{int((~there).sum())} of {len(table)} masks are missing; the first is that of "
            first = table["id"].iloc[int(np.argmin(there))]
            raise BenchError(what + first, where=root / folder, fix="unpack the masks again")
    masks = [[FileMask(f"{folder}/{name}.png", root) for folder in folders] for name in table["id"]]
    return pd.Series([m[0] if len(m) == 1 else UnionMask(tuple(m)) for m in masks], dtype=object)


# --- split rules --------------------------------------------------------------------------------------


def default_split(table: pd.DataFrame) -> pd.DataFrame:
    """70/15/15, seed 0, with the same share of tuberculosis in each (there is no official split)."""
    return by_group(table, shares_of_splits(SHARES), stratify=[LABEL])


RULES: dict[str, Rule] = {"default": default_split}
"""Split rules by name."""

CARD = Card(
    title="Montgomery County chest X-ray set (NLM)",
    what="Postero-anterior radiographs of the tuberculosis screening of Montgomery County, Maryland: 80 are "
    "normal, 58 have signs of tuberculosis. Each has a short reading, and masks of the left and right lung.",
    size="138 images (PNG, 4020 x 4892 or 4892 x 4020); about 0.6 GB (unverified)",
    source="https://data.lhncbc.nlm.nih.gov/public/Tuberculosis-Chest-X-ray-Datasets/"
    "Montgomery-County-CXR-Set/MontgomerySet/index.html",
    access="open, no account; cite Jaeger et al., Quant Imaging Med Surg 2014;4(6):475, Candemir et al., "
    "IEEE TMI 2014;33(2):577 (masks) and Jaeger et al., IEEE TMI 2014;33(2):233",
    tree="""
CXR_png/MCUCXR_0001_0.png               (last digit: 0 normal, 1 tuberculosis)
ClinicalReadings/MCUCXR_0001_0.txt      Patient's Sex: F / Patient's Age: 027Y / normal
ManualMask/leftMask/MCUCXR_0001_0.png
ManualMask/rightMask/MCUCXR_0001_0.png  (or masks/MCUCXR_0001_0.png with both lungs, in the Kaggle re-pack)
""",
    splits=describe(RULES),
    options={
        "lung": "both (default), left or right: the foreground of the mask",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The NLM's files were not at hand: names and forms are taken from public code, which agrees "
        "(unverified). Whether left is the patient's or the image's left is unverified too.",
        "Small: the test split of the rule default has about 21 images.",
        "The reading states the label ('normal', 'TB'): a report is no independent evidence of it.",
        "TBX11K's archive has these images, in imgs/extra: a model trained on them has seen them.",
    ),
    annotations=("labels", "masks", "reports"),
    published={"all": {"images": (138,), f"positive: {LABEL}": (58,)}},
    watched=tuple(f"{folder}{READINGS}/*.txt" for folder in ("", *(f"{name}/" for name in FOLDERS))),
)
