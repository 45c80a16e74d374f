"""Read CheXlocalize (Saporta et al. 2022), outlined findings on CheXpert's validation and test images.

The form of the segmentations and the counts are those of the authors' repository (rajpurkarlab/cheXlocalize,
README.md and sample/). The folders and tables of the download are taken from public code that reads them:
torchxrayvision (``CheXlocalize_Dataset``) and RadHarmony.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import CocoMask, RleMask
from prior_bench.data.annotations.phrases import GroundedPhrase
from prior_bench.data.cards import Card
from prior_bench.data.manifest import ABOUT, Manifest
from prior_bench.data.readers.chexpert.labels import label_set
from prior_bench.data.readers.chexpert.reader import of_views
from prior_bench.data.splitting.rules import Rule, apply_rule, by_group, describe
from prior_bench.data.tables.annotation_json import AGAIN, read_json, require_keys
from prior_bench.data.tables.annotation_tables import find_table, read_table, require_columns
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

SENTENCES = {
    "Enlarged Cardiomediastinum": "The cardiomediastinal silhouette is enlarged.",
    "Cardiomegaly": "The heart is enlarged.",
    "Lung Opacity": "There is an opacity in the lung.",
    "Lung Lesion": "There is a lung lesion.",
    "Edema": "There is pulmonary edema.",
    "Consolidation": "There is consolidation.",
    "Atelectasis": "There is atelectasis.",
    "Pneumothorax": "There is a pneumothorax.",
    "Pleural Effusion": "There is a pleural effusion.",
    "Support Devices": "There is a support device.",
}
"""A sentence for each of the ten outlined findings, which have the names of CheXpert's tables."""
SPELLINGS = {"Airspace Opacity": "Lung Opacity"}
"""Spelling of the segmentations: of the tables."""
PARTS = {"val": ("val_labels.csv", "valid.csv"), "test": ("test_labels.csv", "test.csv")}
"""Tables of the two parts; the second names are those of CheXpert itself."""
IMAGES = {"val": ("val", "valid"), "test": ("test",)}
PLACES = ("CheXpert", "CheXpert-v1.0", ".")
"""Folders with tables and images, relative to the root."""
MASKS = ("CheXlocalize", ".")
"""Folders with the segmentations."""
INNER = "chexlocalize"
PATH = re.compile(r"(?:^|/)(?:val|valid|test)/((patient\d+)/(study\d+)/(view\d+_(frontal|lateral))\.jpg)$")


def read(
    root: Path,
    *,
    split: str = "default",
    finding: str = "Pleural Effusion",
    views: str | Sequence[str] = "frontal",
    labels: str | Sequence[str] = "five",
    missing: str = "error",
) -> Manifest:
    """Read one row per image, with its labels, the mask of one finding, and a phrase with a mask for each.

    Args:
        root: folder with ``CheXpert/`` and ``CheXlocalize/``, or the one above it.
        split: a name in :data:`RULES`.
        finding: the foreground of the mask, one of :data:`SENTENCES`; images without it have an empty mask.
        views: ``"frontal"``, ``"lateral"``, ``"all"``, or values of ``AP/PA`` (validation images only).
        labels: ``"five"``, ``"fourteen"``, or a list.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    if finding not in SENTENCES:
        raise unknown_name("finding of CheXlocalize", finding, list(SENTENCES), where="chexlocalize")
    names = label_set(labels)
    root = root / INNER if (root / INNER).is_dir() else root
    table = pd.concat([_part(root, part, names) for part in PARTS], ignore_index=True)
    table = of_views(table, views, root)
    table = apply_rule(split, RULES, table, "chexlocalize").drop(columns=["part", "frontal"])
    table, absent = require_images(table, root, missing=missing, where=root)
    outlined = table.pop("outlined")
    table["mask"] = pd.Series([masks.get(finding, RleMask()) for masks in outlined], dtype=object)
    table["phrases"] = pd.Series([_phrases(masks) for masks in outlined], dtype=object)
    return Manifest("chexlocalize", root, table, labels=names, split_rule=split, notes=absent)


def _phrases(masks: dict[str, CocoMask]) -> tuple[GroundedPhrase, ...]:
    return tuple(
        GroundedPhrase(text, (), masks[name], name) for name, text in SENTENCES.items() if name in masks
    )


def _part(root: Path, part: str, names: Sequence[str]) -> pd.DataFrame:
    """One of the two parts in the order of its table; ``outlined`` has the masks of each image by finding."""
    home = next((place for place in PLACES if (root / place).is_dir()), ".")
    place = find_table(root / home, *PARTS[part])
    raw = read_table(place, ("Path",), text=("Path",))
    require_columns(raw, names, place)
    pieces = raw["Path"].str.extract(PATH)
    odd = pieces.isna().any(axis=1).to_numpy()
    if odd.any():
        row = int(np.argmax(odd))
        what = f"'{raw['Path'].iloc[row]}' is not a path like {part}/patient64541/study1/view1_frontal.jpg"
        raise BenchError(what, where=f"{place}, line {row + 2}", fix="use the unchanged file of Stanford")
    wrong = ~raw[list(names)].isin([0, 1]).all(axis=1).to_numpy()
    if wrong.any():
        where = f"{place}, line {int(np.argmax(wrong)) + 2}"
        raise BenchError("a label is neither 0 nor 1", where=where, fix=AGAIN)
    folder = next((f for f in IMAGES[part] if (root / home / f).is_dir()), IMAGES[part][0])
    prefix = folder if home == "." else f"{home}/{folder}"
    keys = pieces[1] + "_" + pieces[2] + "_" + pieces[3]
    outlined = read_segmentations(_segmentations(root, part), list(keys))
    side = pieces[4]
    table = pd.DataFrame(
        {
            "id": keys,
            "patient_id": pieces[1],
            "study_id": pieces[1] + "/" + pieces[2],
            "image": f"{prefix}/" + pieces[0],
            "part": part,
            "frontal": side.eq("frontal"),
            "view": raw["AP/PA"].fillna(side) if "AP/PA" in raw else side,
            "outlined": pd.Series([outlined.get(key, {}) for key in keys], dtype=object),
        }
    )
    for name in ("Sex", "Age"):
        if name in raw:
            table[f"{ABOUT}{name.lower()}"] = raw[name]
    return table.join(raw[list(names)].astype(np.float32))


def _segmentations(root: Path, part: str) -> Path:
    name = f"gt_segmentations_{part}.json"
    for folder in MASKS:
        place = root / folder / name
        if place.exists() or place.is_symlink():
            return place
    fix = "download the folder CheXlocalize beside CheXpert"
    raise BenchError(f"{name} is missing", where=root / MASKS[0], fix=fix)


def read_segmentations(place: Path, images: Sequence[str]) -> dict[str, dict[str, CocoMask]]:
    """Read the masks of each image by finding; masks of zeros, which negative findings have, are left out.

    Args:
        place: ``{image: {finding: {"size": [height, width], "counts": ...}}}``.
        images: names of the images of the part, ``patient64541_study1_view1_frontal``.

    Raises:
        BenchError: an image or a finding is unknown, or a mask is no run-length code of COCO.
    """
    found: dict[str, dict[str, CocoMask]] = {}
    known = set(images)
    for image, masks in read_json(place, dict).items():
        where = f"{place}, {image}"
        if image not in known:
            raise BenchError("is not in the table of the images", where=where, fix="both must be of one part")
        require_keys(masks, (), where)
        found[image] = {}
        for spelled, code in masks.items():
            name = SPELLINGS.get(spelled, spelled)
            if name not in SENTENCES:
                raise unknown_name("finding of CheXlocalize", spelled, list(SENTENCES), where=where)
            if _is_drawn(code, f"{where}, {spelled}"):
                found[image][name] = CocoMask.of_json(code, of=f"{where}, {spelled}")
    return found


def _is_drawn(code: Any, where: str) -> bool:
    """Whether a run-length code has any foreground."""
    require_keys(code, ("size", "counts"), where)
    size, counts = code["size"], code["counts"]
    whole = isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)
    if whole and isinstance(counts, str) and counts.isascii():
        from pycocotools import mask as coco

        return int(coco.area({"size": size, "counts": counts})) > 0
    if whole and isinstance(counts, list) and all(isinstance(n, int) for n in counts):
        return sum(counts[1::2]) > 0
    raise BenchError("is no run-length code of COCO (size, counts)", where=where, fix=AGAIN)


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """CheXpert's validation set validates, its test set tests; nothing is left to train on."""
    return table.assign(split=table["part"].replace("val", "valid"))


def train_on_validation(table: pd.DataFrame) -> pd.DataFrame:
    """80 % of the validation set's patients train and 20 % validate (seed 0); CheXpert's test set tests."""
    rest = by_group(table[table["part"] == "val"], {"train": 0.8, "valid": 0.2})
    return pd.concat([rest, table[table["part"] == "test"].assign(split="test")])


RULES: dict[str, Rule] = {"default": official_split, "train_on_validation": train_on_validation}
"""Split rules by name."""

CARD = Card(
    title="CheXlocalize: outlined findings of CheXpert",
    what="CheXpert's validation and test images, labelled by radiologists, with the outlines of ten findings "
    "that two radiologists drew.",
    size="234 images of 200 patients (validation), 668 of 500 (test); outlines on 187 and 499 images",
    source="https://stanfordaimi.azurewebsites.net/datasets/23c56a0d-15de-405b-87c8-99c30138950c (folders "
    "CheXpert and CheXlocalize)",
    access="Stanford CheXlocalize research use agreement (no redistribution); cite Saporta et al., Nature "
    "Machine Intelligence 2022 (doi 10.1038/s42256-022-00536-x)",
    tree="""
CheXpert/val_labels.csv, test_labels.csv     (or valid.csv, test.csv)
CheXpert/val/patient64541/study1/view1_frontal.jpg     (or valid/)
CheXpert/test/patient64741/study1/view1_frontal.jpg
CheXlocalize/gt_segmentations_val.json, gt_segmentations_test.json
""",
    splits=describe(RULES),
    options={
        "finding": f"the foreground of the mask: {', '.join(SENTENCES)}; default: Pleural Effusion",
        "views": "frontal, lateral, all, or values of AP/PA (validation images only)",
        "labels": "five (the competition's), fourteen, or a list",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Phrases are one fixed sentence for each outlined finding, not sentences of reports.",
        "Masks have the size of the full images: with CheXpert-v1.0-small they do not fit.",
        "An image without an entry has none of the ten findings: its mask is empty, and it has no phrases.",
        "Most representative points and outlines of the human benchmark (hb_*.json) are not read.",
        "The test table has no sex, age or view position.",
        "The download was not at hand: its folders and tables are taken from public code (unverified); the "
        "form of the segmentations is that of the authors' sample.",
    ),
    annotations=("labels", "masks", "phrases"),
    published={"all": {"patients": (700,)}},
    watched=tuple(
        f"{top}{pattern}"
        for top in ("", f"{INNER}/")
        for pattern in (
            *(f"{place}*.csv*" for place in ("CheXpert/", "CheXpert-v1.0/", "")),
            *(f"{place}gt_segmentations_*.json" for place in ("CheXlocalize/", "")),
        )
    ),
    patients="chexpert",
)
