"""Read NIH ChestX-ray14 (Wang et al. 2017) with its hand-drawn boxes from the unchanged files of the NIH."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.boxes import boxes_of_sides, read_sides
from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.manifest import ABOUT, Manifest
from prior_bench.data.splitting.rules import (
    BENCHX_LISTS,
    Rule,
    apply_rule,
    by_group,
    by_lists,
    describe,
    listed_ids,
    with_test,
)
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

FOURTEEN = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
    "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia",
)  # fmt: skip
"""All findings, in the spelling and order of the NIH."""
BOXED = FOURTEEN[:8]
"""The findings for which there are boxes."""
NEGATIVE = "No Finding"
BOX_SPELLINGS = {"Infiltrate": "Infiltration"}
SEX_COLUMNS = ("Patient Gender", "Patient Sex")
"""Heading of the sex in the first and in the second release of the label file."""
OLDEST = 120
"""Largest age in years that is taken for one."""
LISTS = ("train_val_list.txt", "test_list.txt")


def read(
    root: Path,
    *,
    split: str = "default",
    labels: Sequence[str] = FOURTEEN,
    boxes: bool = False,
    missing: str = "error",
) -> Manifest:
    """Read one row per image.

    Args:
        root: folder with ``Data_Entry_2017*.csv``, the official lists, and ``images_001/`` ... (or
            ``images/``); with ``boxes=True`` also ``BBox_List_2017.csv``.
        split: a name in :data:`RULES`.
        labels: findings, some of :data:`FOURTEEN`.
        boxes: whether to keep only the images with boxes, and read their boxes. The other images were not
            annotated with boxes and are no negatives.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or a finding is unknown.
    """
    names = chosen_labels(labels, FOURTEEN, "finding of ChestX-ray14")
    if not isinstance(boxes, bool):
        raise BenchError(
            f"boxes is {boxes!r}; must be True or False", where="nih_chestxray14", fix="pass boxes=True"
        )
    table = read_labels(find_table(root, "Data_Entry_2017*.csv"), names)
    if boxes:
        drawn = read_boxes(find_table(root, "BBox_List_2017.csv"))
        table = table[table["id"].isin(drawn)].reset_index(drop=True)
        table["boxes"] = pd.Series([drawn[i] for i in table["id"]], dtype=object)
    table = apply_rule(split, RULES, table, "nih_chestxray14", root=root)
    folders = _find_images(root)
    table["image"] = [f"{folders.get(i, 'images')}/{i}" for i in table["id"]]
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "nih_chestxray14",
        root,
        table,
        labels=names,
        box_classes=BOXED if boxes else (),
        split_rule=split,
        notes=absent,
    )


def read_labels(place: Path, names: Sequence[str] = FOURTEEN) -> pd.DataFrame:
    """Read the label file in its own order: id, patient_id, view, about_sex and about_age, and the findings.

    Raises:
        BenchError: a column is missing, or a finding is not one of the fourteen.
    """
    raw = read_table(
        place,
        ("Image Index", "Finding Labels", "Patient ID", "View Position"),
        text=("Image Index", "Finding Labels", "Patient ID"),
    )
    found = raw["Finding Labels"].fillna("").str.get_dummies("|")
    for name in found:
        if name not in (*FOURTEEN, NEGATIVE):
            row = int(np.argmax(found[name]))
            raise unknown_name(
                "finding", str(name), [*FOURTEEN, NEGATIVE], where=f"{place}, image {raw['Image Index'][row]}"
            )
    found = found.reindex(columns=list(names), fill_value=0).astype(np.float32)
    table = raw[["Image Index", "Patient ID", "View Position"]]
    table.columns = ["id", "patient_id", "view"]
    return table.join(_about(raw)).join(found)


def _about(raw: pd.DataFrame) -> pd.DataFrame:
    """Return sex and age in years; ages have units in the first release ("058Y"), and typing errors (414)."""
    found = pd.DataFrame(index=raw.index)
    for name in SEX_COLUMNS:
        if name in raw:
            found[f"{ABOUT}sex"] = raw[name]
    if "Patient Age" in raw:
        parts = raw["Patient Age"].astype(str).str.strip().str.extract(r"^(\d+)([YMD]?)$")
        years = parts[0].astype(float) * parts[1].map({"M": 1 / 12, "D": 1 / 365.25}).fillna(1.0)
        found[f"{ABOUT}age"] = years.where(years <= OLDEST)
    return found


def read_boxes(place: Path) -> dict[str, np.ndarray]:
    """Read the boxes of each image, by its name, float32 [n, 5]: corners in pixels, index in :data:`BOXED`.

    Raises:
        BenchError: a column is missing, a finding is unknown, or a box has no extent.
    """
    raw = read_table(place, ("Image Index", "Finding Label"), text=("Image Index", "Finding Label"))
    if raw.shape[1] < 6:
        raise BenchError(
            f"has {raw.shape[1]} columns; expected image, finding, x, y, w, h",
            where=place,
            fix="download BBox_List_2017.csv again",
        )
    finding = raw["Finding Label"].replace(BOX_SPELLINGS)
    unknown = ~finding.isin(BOXED).to_numpy()
    if unknown.any():
        row = int(np.argmax(unknown))
        raise unknown_name("finding", str(finding[row]), list(BOXED), where=f"{place}, line {row + 2}")
    sides, usable = read_sides(raw.iloc[:, 2:6])
    if not usable.all():
        raise BenchError(
            "box without numbers or extent",
            where=f"{place}, line {int(np.argmin(usable)) + 2}",
            fix="download BBox_List_2017.csv again",
        )
    boxes = boxes_of_sides(sides, finding.map(BOXED.index).to_numpy())
    return {str(name): boxes[rows] for name, rows in raw.groupby("Image Index").indices.items()}


def _find_images(root: Path) -> dict[str, str]:
    """Find the folder of each image, by its name."""
    folders = [root / "images", *sorted(root.glob("images_*/images")), *sorted(root.glob("images_*"))]
    found: dict[str, str] = {}
    for folder in filter(Path.is_dir, folders):
        with os.scandir(folder) as entries:
            for entry in entries:
                found.setdefault(entry.name, folder.relative_to(root).as_posix())
    return found


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """The official test list; 12.5 % of the patients in train_val validate (seed 0)."""
    places = [find_table(root, name) for name in LISTS]
    train, test = (table["id"].isin(listed_ids(place)) for place in places)
    absent = ~(train | test)
    if absent.any():
        raise BenchError(
            f"{int(absent.sum())} images are in neither list, e.g. {table.loc[absent, 'id'].iloc[0]}",
            where=f"{places[0]}, {places[1].name}",
            fix="download the lists again",
        )
    return with_test(table[train & ~test], table[test], 0.125)


def boxes_by_patient_split(table: pd.DataFrame) -> pd.DataFrame:
    """60/20/20 by patient, seed 0, without the official lists: for boxes=True, with LoVT's shares."""
    return by_group(table, {"train": 0.6, "valid": 0.2, "test": 0.2})


def benchx_lists(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """BenchX's lists (from MRM), copied to benchx/ next to the label file: 78,468/11,219/22,433 images."""
    return by_lists(table, root, BENCHX_LISTS)


RULES: dict[str, Rule] = {
    "default": official_split,
    "boxes_by_patient": boxes_by_patient_split,
    "benchx": benchx_lists,
}
"""Split rules by name."""

CARD = Card(
    title="NIH ChestX-ray14",
    what="Frontal radiographs of the NIH Clinical Center with 14 findings extracted from reports (which are "
    "not public); boxes were drawn by hand on 880 images (984 boxes, 8 findings).",
    size="112,120 images (1024 x 1024 PNG) of 30,805 patients; about 42 GB (unverified)",
    source="https://nihcc.app.box.com/v/ChestXray-NIHCC",
    access="no restrictions on use; cite Wang et al. 2017 and name the NIH Clinical Center",
    tree="""
Data_Entry_2017.csv         (or Data_Entry_2017_v2020.csv)
train_val_list.txt
test_list.txt
BBox_List_2017.csv          (only with boxes=True)
images_001/images/*.png  ... images_012/images/*.png   (or all of them in images/)
benchx/train.txt, val.txt, test.txt                          (BenchX's lists; only for the rule benchx)
""",
    splits=describe(RULES),
    options={
        "labels": f"a list from: {', '.join(FOURTEEN)}; default: all",
        "boxes": "True keeps only the images with boxes, and reads their boxes; default: False",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Labels are mined from text; the NIH estimates their accuracy above 90 %.",
        "RSNA Pneumonia and SIIM-ACR use images of this data set: a model trained here has seen theirs.",
        "BenchX uses MRM's 78,468/11,219/22,433 (lists not included), G2D states 77,872/8,652/25,596 "
        "(official test list).",
        "LoVT's shipped lists of boxed images share 12, 13 and 5 patients between splits; the rule "
        "boxes_by_patient shares none and is a different split.",
    ),
    annotations=("labels", "boxes"),
    published={
        "benchx": {"images": (78468, 11219, 22433)},
        "all": {"images": (112120,), "patients": (30805,)},
    },
    watched=(*WATCHED, "benchx/*.txt"),
)
