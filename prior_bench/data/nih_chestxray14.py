"""NIH ChestX-ray14 (Wang et al. 2017) with its hand-drawn boxes: files exactly as the NIH gives them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.files import require_images
from prior_bench.data.manifest import Manifest
from prior_bench.data.splits import BENCHX_LISTS, apply_rule, by_group, by_lists, describe
from prior_bench.data.tables import find_table, read_table
from prior_bench.errors import BenchError, unknown_name

FOURTEEN = (
    "Atelectasis", "Cardiomegaly", "Effusion", "Infiltration", "Mass", "Nodule", "Pneumonia",
    "Pneumothorax", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Pleural_Thickening", "Hernia",
)  # fmt: skip
"""All findings, spelled and ordered as by the NIH."""
BOXED = FOURTEEN[:8]
"""The findings for which there are boxes."""
NEGATIVE = "No Finding"
BOX_SPELLINGS = {"Infiltrate": "Infiltration"}
LISTS = ("train_val_list.txt", "test_list.txt")


def read(
    root: Path,
    *,
    split: str = "default",
    labels: Sequence[str] = FOURTEEN,
    boxes: bool = False,
    missing: str = "error",
) -> Manifest:
    """One row per image.

    Args:
        root: folder with ``Data_Entry_2017*.csv``, the official lists, and ``images_001/`` ... (or
            ``images/``); with ``boxes=True`` also ``BBox_List_2017.csv``.
        split: a name in :data:`RULES`.
        labels: findings, of :data:`FOURTEEN`.
        boxes: keep only the images on which boxes were drawn, and give those. On the other images nobody
            looked for boxes, so that they are no negatives.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: files missing or not as they should be, or an unknown finding.
    """
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    for name in names:
        if name not in FOURTEEN:
            raise unknown_name("finding of ChestX-ray14", name, list(FOURTEEN))
    table = read_labels(find_table(root, "Data_Entry_2017*.csv"), names)
    if boxes:
        drawn = read_boxes(find_table(root, "BBox_List_2017.csv"))
        table = table[table["id"].isin(drawn)].reset_index(drop=True)
        table["boxes"] = pd.Series([drawn[i] for i in table["id"]], dtype=object)
    if split == "default":
        table = _official_part(table, root)
    rules = {**RULES, "benchx": partial(benchx_lists, root=root)}
    table = apply_rule(split, rules, table, "nih_chestxray14")
    folders = _find_images(root)
    table["image"] = [f"{folders.get(i, 'images')}/{i}" for i in table["id"]]
    table = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "nih_chestxray14", root, table, labels=names, box_classes=BOXED if boxes else (), split_rule=split
    )


def read_labels(place: Path, names: Sequence[str] = FOURTEEN) -> pd.DataFrame:
    """The label file in its own order: id, patient_id, view, and one column per finding.

    Raises:
        BenchError: a column is missing, or a finding is none of the fourteen.
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
                "finding", name, [*FOURTEEN, NEGATIVE], where=f"{place}, image {raw['Image Index'][row]}"
            )
    found = found.reindex(columns=list(names), fill_value=0).astype(np.float32)
    table = raw[["Image Index", "Patient ID", "View Position"]]
    table.columns = ["id", "patient_id", "view"]
    return table.join(found)


def read_boxes(place: Path) -> dict[str, np.ndarray]:
    """Image name to its boxes, float32 [n, 5]: corners in pixels, index in :data:`BOXED`.

    Raises:
        BenchError: a column is missing, a finding is unknown, or a box has no extent.
    """
    raw = read_table(place, ("Image Index", "Finding Label"), text=("Image Index", "Finding Label"))
    if raw.shape[1] < 6:
        raise BenchError(
            f"has {raw.shape[1]} columns; expected are image, finding, x, y, w, h",
            where=place,
            fix="fetch BBox_List_2017.csv again",
        )
    finding = raw["Finding Label"].replace(BOX_SPELLINGS)
    unknown = ~finding.isin(BOXED).to_numpy()
    if unknown.any():
        row = int(np.argmax(unknown))
        raise unknown_name("finding", str(finding[row]), list(BOXED), where=f"{place}, line {row + 2}")
    sides = raw.iloc[:, 2:6].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
    broken = ~((sides[:, 2:] > 0).all(axis=1) & np.isfinite(sides).all(axis=1))
    if broken.any():
        raise BenchError("box without numbers or extent", where=f"{place}, line {int(np.argmax(broken)) + 2}")
    index = finding.map(BOXED.index).to_numpy(np.float32)[:, None]
    corners = np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:], index], axis=1)
    return {name: corners[rows] for name, rows in raw.groupby("Image Index").indices.items()}


def _official_part(table: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Adds ``part``: train_val or test, by the official lists."""
    part = {}
    for name in LISTS:
        place = find_table(root, name)
        part.update(dict.fromkeys(place.read_text().split(), name.removesuffix("_list.txt")))
    table = table.assign(part=table["id"].map(part))
    absent = table["part"].isna()
    if absent.any():
        raise BenchError(
            f"{int(absent.sum())} images are in neither list, e.g. {table.loc[absent, 'id'].iloc[0]}",
            where=f"{root / LISTS[0]}, {LISTS[1]}",
            fix="fetch the lists again",
        )
    return table


def _find_images(root: Path) -> dict[str, str]:
    """Image name to its folder."""
    folders = [root / "images", *sorted(root.glob("images_*/images")), *sorted(root.glob("images_*"))]
    found: dict[str, str] = {}
    for folder in filter(Path.is_dir, folders):
        with os.scandir(folder) as entries:
            for entry in entries:
                found.setdefault(entry.name, folder.relative_to(root).as_posix())
    return found


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The official test list; an eighth of train_val's patients validate (seed 0)."""
    train, test = table[table["part"] == "train_val"], table[table["part"] == "test"]
    return pd.concat([by_group(train, {"train": 0.875, "valid": 0.125}), test.assign(split="test")])


def boxes_by_patient_split(table: pd.DataFrame) -> pd.DataFrame:
    """60/20/20 by patient, seed 0, without the official lists: for boxes=True, as LoVT splits them."""
    return by_group(table, {"train": 0.6, "valid": 0.2, "test": 0.2})


def benchx_lists(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """BenchX's (from MRM): 78,468/11,219/22,433 by its lists, copied to benchx/ beside the label file."""
    return by_lists(table, root, BENCHX_LISTS)


RULES = {
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
""",
    splits=describe(RULES),
    options={
        "labels": f"a list from: {', '.join(FOURTEEN)}; default all",
        "boxes": "true keeps only the images on which boxes were drawn, with their boxes; false",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Labels are mined from text; the NIH estimates their accuracy above 90 %.",
        "RSNA Pneumonia and SIIM-ACR are drawn from these images: a model trained here has seen theirs.",
        "BenchX uses MRM's 78,468/11,219/22,433 (lists not included), G2D prints 77,872/8,652/25,596 "
        "(official test list).",
        "LoVT's shipped lists of boxed images share 12, 13 and 5 patients between splits; the rule "
        "boxes_by_patient shares none, and is not the same split.",
    ),
    annotations=("labels", "boxes"),
    published={
        "benchx": {"images": (78468, 11219, 22433)},
        "all": {"images": (112120,), "patients": (30805,)},
    },
    watched=(*WATCHED, "benchx/*.txt"),
)
