"""ChestX-Det10 (Liu et al. 2020): boxes of ten findings; files as the authors' repository gives them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import NO_PATIENTS, Manifest
from prior_bench.data.splitting.rules import Rule, apply_rule, describe, with_test
from prior_bench.data.tables.annotation_json import four_numbers, read_json, require_keys
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

TEN = (
    "Atelectasis", "Calcification", "Consolidation", "Effusion", "Emphysema", "Fibrosis", "Fracture",
    "Mass", "Nodule", "Pneumothorax",
)  # fmt: skip
"""All findings, spelled as in the files."""
PARTS = ("train", "test")
FOLDERS = ("{part}_data", "{part}", "images")
"""Where the images of a part are looked for."""
NIH_NAME = re.compile(r"(\d{8})_\d{3}")
"""Names of ChestX-ray14, which say the patient; the published files number the images anew."""


def read(root: Path, *, split: str = "default", missing: str = "error") -> Manifest:
    """One row per image, with its findings as labels and their boxes.

    Args:
        root: folder with ``train.json``, ``test.json`` and the images in ``train_data/`` and ``test_data/``.
        split: a name in :data:`RULES`.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: files missing or not as they should be, or an unknown finding.
    """
    table = pd.concat([read_part(root, part) for part in PARTS], ignore_index=True)
    table = apply_rule(split, RULES, table, "chestxdet10")
    table, absent = require_images(table, root, missing=missing, where=root)
    notes = () if table["patient_id"].duplicated().any() else (NO_PATIENTS,)
    return Manifest(
        "chestxdet10", root, table, labels=TEN, box_classes=TEN, split_rule=split, notes=(*notes, *absent)
    )


def read_part(root: Path, part: str) -> pd.DataFrame:
    """One of the two files, in its own order.

    Raises:
        BenchError: a key is missing, a finding is unknown, or a box has no extent.
    """
    place = root / f"{part}.json"
    if not place.exists() and not place.is_symlink():
        fix = "copy it from github.com/Deepwise-AILab/ChestX-Det10-Dataset"
        raise BenchError(f"{place.name} is missing", where=root, fix=fix)
    folder = _image_folder(root, part)
    rows: list[dict[str, Any]] = []
    for n, entry in enumerate(read_json(place, list)):
        where = f"{place}, entry {n}"
        require_keys(entry, ("file_name", "syms", "boxes"), where)
        boxes = _boxes(entry, where)
        name = Path(str(entry["file_name"]))
        nih = NIH_NAME.fullmatch(name.stem)
        rows.append(
            {
                "id": name.stem,
                "patient_id": nih[1] if nih else name.stem,
                "image": f"{folder}/{name.name}",
                "part": part,
                **{finding: float((boxes[:, 4] == index).any()) for index, finding in enumerate(TEN)},
                "boxes": boxes,
            }
        )
    if not rows:
        raise BenchError("names no image", where=place, fix="download it again")
    return pd.DataFrame(rows).astype(dict.fromkeys(TEN, np.float32))


def _boxes(entry: dict[str, Any], where: str) -> np.ndarray:
    """float32 [n, 5]: corners in pixels, index in :data:`TEN`."""
    findings, drawn = entry["syms"], entry["boxes"]
    if not (isinstance(findings, list) and isinstance(drawn, list)):
        raise BenchError("syms and boxes are no lists", where=where, fix="download the file again")
    if len(findings) != len(drawn):
        what = f"has {len(findings)} findings and {len(drawn)} boxes"
        raise BenchError(what, where=where, fix="download the file again")
    boxes = []
    for finding, box in zip(findings, drawn, strict=True):
        if finding not in TEN:
            raise unknown_name("finding of ChestX-Det10", str(finding), list(TEN), where=where)
        x1, y1, x2, y2 = four_numbers(box, where)
        if not (x2 > x1 and y2 > y1):
            raise BenchError(f"box {box} has no extent", where=where, fix="download the file again")
        boxes.append((x1, y1, x2, y2, TEN.index(finding)))
    return np.array(boxes, np.float32).reshape(-1, 5)


def _image_folder(root: Path, part: str) -> str:
    """The first of :data:`FOLDERS` that exists; archives may hold a folder of their own name."""
    named = [pattern.format(part=part) for pattern in FOLDERS]
    for name in (f"{named[0]}/{named[0]}", *named):
        if (root / name).is_dir():
            return name
    return named[0]


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """test.json is the test set, a tenth of train.json validates; seed 0."""
    train, test = table[table["part"] == "train"], table[table["part"] == "test"]
    return with_test(train, test, 0.1)


RULES: dict[str, Rule] = {"default": official_split}
"""Split rules by name."""

CARD = Card(
    title="ChestX-Det10",
    what="3,543 frontal radiographs of NIH ChestX-ray14, on which three radiologists drew boxes of ten "
    "findings.",
    size="3,001 images in train, 542 in test (1024 x 1024 PNG); 8,339 boxes",
    source="github.com/Deepwise-AILab/ChestX-Det10-Dataset (train.json, test.json, and links to the images)",
    access="no licence is stated in the repository; cite arXiv 2006.10550 and the NIH Clinical Center",
    tree="""
train.json, test.json        [{"file_name", "syms", "boxes"}, ...]
train_data/36200.png         (or train/, or images/)
test_data/36199.png          (or test/, or images/)
""",
    splits=describe(RULES),
    options={"missing": "error, or skip absent images"},
    caveats=(
        "The images are numbered anew: which images and patients of ChestX-ray14 they are is not known, so "
        "that a model trained on ChestX-ray14 may have seen them, and every image counts as one patient.",
        "The names of the folders in the image archives are unverified.",
    ),
    annotations=("labels", "boxes"),
    published={"all": {"images": (3543,), "boxes": (8339,)}},
    watched=("train.json", "test.json"),
)
