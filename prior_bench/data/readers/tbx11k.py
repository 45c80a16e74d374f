"""Read TBX11K (Liu et al. 2020), boxes of tuberculosis, from the files of the authors.

Names of files, keys and categories are taken from public code: torchxrayvision (``TBX11K_Dataset``), mednet
(Idiap) and readers of single projects, which agree.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.boxes import boxes_of_sides
from prior_bench.data.cards import Card
from prior_bench.data.manifest import NO_PATIENTS, Manifest
from prior_bench.data.splitting.rules import Rule, apply_rule, describe, with_test
from prior_bench.data.tables.annotation_json import AGAIN, four_numbers, read_json, require_keys
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

LABEL = "Tuberculosis"
CATEGORIES = ("ActiveTuberculosis", "ObsoletePulmonaryTuberculosis", "PulmonaryTuberculosis")
"""Categories of boxes, spelled as in the files; the last one (uncertain) has no box in the released files."""
BOXED = CATEGORIES[:2]
CLASSES = {"health": "Healthy", "sick": "Sick, not tuberculosis", "tb": LABEL}
"""The classes of images, by the folder in ``imgs/`` that an image is in."""
LABELS = {"findings": (LABEL, *BOXED), "classes": tuple(CLASSES.values())}
PARTS = ("train", "val")
FILE = "annotations/json/TBX11K_{part}.json"
INNER = "TBX11K"
"""Folder that unpacking the download creates."""


def read(root: Path, *, split: str = "default", labels: str = "findings", missing: str = "error") -> Manifest:
    """Read one row per image of the official train and validation parts, with its labels and boxes.

    Args:
        root: folder with ``annotations/json/`` and ``imgs/``, or the one above it.
        split: a name in :data:`RULES`.
        labels: ``"findings"`` (tuberculosis, and whether it is active or obsolete), or ``"classes"``
            (healthy, sick or tuberculosis; exclusive).
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    if labels not in LABELS:
        raise unknown_name("choice of labels", labels, list(LABELS), where="tbx11k")
    root = root / INNER if (root / INNER / "annotations").is_dir() else root
    table = pd.concat([read_part(root, part) for part in PARTS], ignore_index=True)
    table = apply_rule(split, RULES, table, "tbx11k")
    table, absent = require_images(table, root, missing=missing, where=root)
    drawn = {int(number) for boxes in table["boxes"].dropna() for number in boxes[:, 4]}
    others = [name for name in (LABEL, *BOXED, *CLASSES.values()) if name not in LABELS[labels]]
    return Manifest(
        "tbx11k",
        root,
        table.drop(columns=others),
        labels=LABELS[labels],
        exclusive=labels == "classes",
        box_classes=CATEGORIES if CATEGORIES.index("PulmonaryTuberculosis") in drawn else BOXED,
        split_rule=split,
        notes=(NO_PATIENTS, *absent),
    )


def read_part(root: Path, part: str) -> pd.DataFrame:
    """Read one of the two files, in its own order.

    Columns: id, patient_id, image, part, boxes, and all labels. An image in ``imgs/tb/`` without a box has
    tuberculosis of unknown activity, and is not annotated with boxes.

    Raises:
        BenchError: a key is missing, a category is unknown, an annotation belongs to no image, or a box has
            no extent.
    """
    place = root / FILE.format(part=part)
    if not place.exists() and not place.is_symlink():
        fix = "unpack TBX11K.zip, and give the folder that has annotations/ and imgs/"
        raise BenchError(f"{place.name} is missing", where=place.parent, fix=fix)
    content = read_json(place, dict)
    require_keys(content, ("images", "annotations", "categories"), str(place))
    drawn = _boxes_of_images(content, place)
    rows = []
    for n, image in enumerate(content["images"]):
        where = f"{place}, images[{n}]"
        require_keys(image, ("id", "file_name"), where)
        name = PurePosixPath(str(image["file_name"]))
        folder = name.parts[0]
        if folder not in CLASSES:
            raise unknown_name("folder of images", folder, list(CLASSES), where=where)
        boxes = drawn.pop(image["id"], None)
        rows.append(
            {
                "id": name.stem,
                "patient_id": name.stem,
                "image": f"imgs/{name}",
                "part": part,
                "boxes": boxes if boxes is not None or folder == "tb" else np.zeros((0, 5), np.float32),
                **_findings(folder, boxes),
                **{label: float(folder == of) for of, label in CLASSES.items()},
            }
        )
    if drawn:
        what = f"has boxes of image {next(iter(drawn))}, which is not in its list of images"
        raise BenchError(what, where=place, fix=AGAIN)
    if not rows:
        raise BenchError("names no image", where=place, fix=AGAIN)
    return pd.DataFrame(rows).astype(dict.fromkeys([LABEL, *BOXED, *CLASSES.values()], np.float32))


def _findings(folder: str, boxes: np.ndarray | None) -> dict[str, float]:
    """Whether the tuberculosis is active and whether it is obsolete, by the boxes; both may be."""
    if boxes is None:
        return dict.fromkeys(BOXED, np.nan if folder == "tb" else 0.0)
    return {name: float((boxes[:, 4] == number).any()) for number, name in enumerate(BOXED)}


def _boxes_of_images(content: dict[str, Any], place: Path) -> dict[Any, np.ndarray]:
    """The boxes of each image that has any, by its number: float32 [n, 5], index in :data:`CATEGORIES`."""
    names = {}
    for n, category in enumerate(content["categories"]):
        require_keys(category, ("id", "name"), f"{place}, categories[{n}]")
        if category["name"] not in CATEGORIES:
            where = f"{place}, categories[{n}]"
            raise unknown_name("category of TBX11K", str(category["name"]), list(CATEGORIES), where=where)
        names[category["id"]] = CATEGORIES.index(category["name"])
    found: dict[Any, list[tuple[float, ...]]] = {}
    for n, annotation in enumerate(content["annotations"]):
        where = f"{place}, annotations[{n}]"
        require_keys(annotation, ("image_id", "category_id", "bbox"), where)
        sides = four_numbers(annotation["bbox"], where)
        if min(sides[2:]) <= 0:
            raise BenchError(f"box {list(sides)} has no extent", where=where, fix=AGAIN)
        if annotation["category_id"] not in names:
            known = [str(number) for number in names]
            raise unknown_name("category", str(annotation["category_id"]), known, where=where)
        found.setdefault(annotation["image_id"], []).append((*sides, names[annotation["category_id"]]))
    arrays = {image: np.array(rows, np.float32) for image, rows in found.items()}
    return {image: boxes_of_sides(rows[:, :4], rows[:, 4]) for image, rows in arrays.items()}


# --- split rules --------------------------------------------------------------------------------------


def official_validation(table: pd.DataFrame) -> pd.DataFrame:
    """The official val part is the test set, 10 % of train validates, seed 0; labels of the official test
    part are withheld.

    The share of tuberculosis is equal in train and valid.
    """
    return with_test(table[table["part"] == "train"], table[table["part"] == "val"], 0.1, stratify=[LABEL])


RULES: dict[str, Rule] = {"default": official_validation}
"""Split rules by name."""

CARD = Card(
    title="TBX11K",
    what="Radiographs of healthy people, of patients with other diseases, and of patients with tuberculosis, "
    "with boxes of active and of obsolete (latent) tuberculosis.",
    size="6,600 images in train, 1,800 in val (512 x 512 PNG), 1,211 boxes; test without labels",
    source="https://github.com/yun-liu/Tuberculosis (links to TBX11K.zip)",
    access="CC BY-NC-SA 2.0 by the annotation files; cite Liu et al., CVPR 2020, and TPAMI 2023",
    tree="""
annotations/json/TBX11K_train.json, TBX11K_val.json    COCO: images, annotations, categories
imgs/health/h0001.png
imgs/sick/s0001.png
imgs/tb/tb0001.png
""",
    splits=describe(RULES),
    options={
        "labels": "findings (tuberculosis; active, obsolete) or classes (healthy, sick, tuberculosis)",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The files have no patient identifiers: each image counts as a patient.",
        "One image in imgs/tb has no box (tb1199): its activity is unknown, and it is not annotated with "
        "boxes. 30 images have active and obsolete tuberculosis.",
        "imgs/extra (Montgomery, Shenzhen, and two Indian sets) is not read.",
        "Healthy, sick and tuberculosis images come from different sources, which a model may recognise "
        "instead of the disease (unverified).",
        "The files were not at hand: their layout is taken from public code (unverified).",
    ),
    annotations=("labels", "boxes"),
    published={"default": {"images": (5940, 660, 1800)}, "all": {"images": (8400,), "boxes": (1211,)}},
    watched=tuple(f"{folder}{FILE.format(part=part)}" for folder in ("", f"{INNER}/") for part in PARTS),
)
