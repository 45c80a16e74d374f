"""Read VinDr-CXR (Nguyen et al. 2022) from the unchanged files of PhysioNet or Kaggle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.box_fusion import fuse_boxes
from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.vindr_cxr.files import (
    CONSENSUS,
    CORNERS,
    Annotations,
    image_suffix,
    read_annotations,
)
from prior_bench.data.splitting.rules import (
    BENCHX_LISTS,
    Rule,
    apply_rule,
    by_group,
    by_lists,
    describe,
    with_test,
)
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError, unknown_name

BOX_POLICIES = ("fused", "all")


def read(
    root: Path,
    *,
    split: str = "default",
    labels: Sequence[str] | None = None,
    agree: int = 2,
    boxes: str = "fused",
    iou: float = 0.5,
    box_agree: int = 1,
    missing: str = "error",
) -> Manifest:
    """Read one row per image, with the labels and boxes of its readers combined.

    Args:
        root: PhysioNet: folder with ``annotations/``, ``train/`` and ``test/``; Kaggle: folder with
            ``train.csv`` and ``train/``.
        split: a name in :data:`RULES`.
        labels: findings by their names in the files (by default all, 14 for Kaggle).
        agree: number of readers (of three) who must have seen a finding; PhysioNet's test set is a consensus.
        boxes: ``"fused"`` averages overlapping boxes of a finding, ``"all"`` keeps the boxes of all readers.
        iou: overlap (intersection over union) above which boxes are fused.
        box_agree: number of readers who must have drawn a fused box.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    if boxes not in BOX_POLICIES:
        raise unknown_name("policy for boxes", boxes, list(BOX_POLICIES), where="vindr_cxr")
    found = read_annotations(root)
    known = [str(name) for name in found.votes]
    names = chosen_labels(known if labels is None else labels, known, "finding of VinDr-CXR", root)
    table = label_images(found, names, agree)
    classes = tuple(sorted(found.boxes["class_name"].unique()))
    drawn = image_boxes(found.boxes, classes, fused=boxes == "fused", iou=iou, agree=box_agree)
    none = np.zeros((0, 5), np.float32)
    table["boxes"] = pd.Series([drawn.get(i, none) for i in table["id"]], dtype=object)
    table = apply_rule(split, RULES, table, "vindr_cxr", root=root).drop(columns="finding")
    suffix = {part: image_suffix(root, part) for part in ("train", "test")}
    table["image"] = [f"{p}/{i}{suffix[p]}" for p, i in zip(table["part"], table["id"], strict=True)]
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "vindr_cxr",
        root,
        table,
        labels=names,
        box_classes=classes,
        split_rule=split,
        notes=(f"distribution found: {found.distribution}", *absent),
    )


def label_images(found: Annotations, names: Sequence[str], agree: int) -> pd.DataFrame:
    """Return id, patient_id, part, finding (whether enough readers saw any) and one column per name."""
    if not 1 <= agree <= int(found.readers.max()):
        raise BenchError(
            f"agree={agree} readers, but an image has at most {int(found.readers.max())}",
            where="vindr_cxr",
            fix="pass agree=1 (any reader), 2 (majority) or 3 (all)",
        )
    needed = np.minimum(agree, found.readers.to_numpy())  # a consensus counts as one reader
    positive = found.votes.mul(found.readers, axis=0).round().ge(needed, axis=0)
    table = found.images.assign(patient_id=found.images["id"], finding=positive.any(axis=1).to_numpy(float))
    for name in names:
        table[name] = positive[name].where(found.votes[name].notna()).to_numpy(np.float32)
    return table


def image_boxes(
    drawn: pd.DataFrame, classes: Sequence[str], *, fused: bool, iou: float, agree: int
) -> dict[str, np.ndarray]:
    """Return the boxes of each image, by its id, float32 [n, 5]: corners in pixels, index of the class."""
    if not fused:
        index = drawn["class_name"].map(list(classes).index)
        rows = np.column_stack([drawn[list(CORNERS)], index]).astype(np.float32)
        places = drawn.reset_index(drop=True).groupby("image_id").indices
        return {str(image): rows[at] for image, at in places.items()}
    corners, readers = drawn[list(CORNERS)].to_numpy(float), drawn["rad_id"].to_numpy()
    boxes: dict[str, list[np.ndarray]] = {}
    groups: dict[Any, Any] = drawn.reset_index(drop=True).groupby(["image_id", "class_name"]).indices
    for (image, name), at in groups.items():
        means, support = fuse_boxes(corners[at], readers[at], iou)
        needed = 1 if (readers[at] == CONSENSUS).all() else agree
        kept = means[support >= needed]
        number = np.full((len(kept), 1), list(classes).index(name), np.float32)
        boxes.setdefault(image, []).append(np.concatenate([kept, number], axis=1))
    return {image: np.concatenate(parts) for image, parts in boxes.items()}


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """PhysioNet: official test, 20 % of train validate (12,000/3,000/3,000); Kaggle: 70/15/15; seed 0.

    The share of images with any finding is equal in all splits.
    """
    train, test = table[table["part"] == "train"], table[table["part"] == "test"]
    if not len(test):
        return by_group(table, {"train": 0.7, "valid": 0.15, "test": 0.15}, stratify=["finding"])
    return with_test(train, test, 0.2, stratify=["finding"])


def benchx_lists(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """BenchX's lists, copied to benchx/ next to annotations/ (PhysioNet only): 12,000/3,000/3,000."""
    return by_lists(table, root, BENCHX_LISTS)


RULES: dict[str, Rule] = {"default": official_split, "benchx": benchx_lists}
"""Split rules by name."""

CARD = Card(
    title="VinDr-CXR 1.0.0 (PhysioNet) or VinBigData (Kaggle)",
    what="Frontal radiographs of two hospitals in Hanoi. Three radiologists read each training image, with "
    "boxes around 22 findings and 6 diagnoses for the whole image; five agreed on each test image. "
    "Kaggle has 14 findings, and no labels for its test images.",
    size="15,000 images in train, 3,000 in test (DICOM); about 200 GB (unverified)",
    source="https://physionet.org/content/vindr-cxr/ or "
    "https://www.kaggle.com/c/vinbigdata-chest-xray-abnormalities-detection",
    access="PhysioNet credentialed health data licence; or Kaggle account and competition rules",
    tree="""
annotations/image_labels_train.csv, image_labels_test.csv    PhysioNet
annotations/annotations_train.csv, annotations_test.csv      PhysioNet
train/<image_id>.dicom
test/<image_id>.dicom                                        PhysioNet
train.csv                                                    Kaggle
benchx/train.txt, val.txt, test.txt                          BenchX's lists; only for the rule benchx
""",
    splits=describe(RULES),
    options={
        "labels": "findings by their names in the files; default: all",
        "agree": "number of readers who must have seen a finding: 1, 2 or 3; default: 2",
        "boxes": "fused (overlapping boxes of a finding are averaged) or all; default: fused",
        "iou": "overlap above which boxes are fused; default: 0.5, as in BenchX",
        "box_agree": "number of readers who must have drawn a fused box; default: 1",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The two distributions have different findings and splits; data check prints the one found.",
        "Boxes are in pixels of the DICOM files, so that they are wrong for a resized re-pack.",
        "The PhysioNet files were not available: their columns are taken from public code "
        "(unverified). A finding that a part does not have is unknown there.",
        "The files have no patient identifiers: each image counts as a patient.",
    ),
    annotations=("labels", "boxes"),
    published={"benchx": {"images": (12000, 3000, 3000)}},
    watched=("*.csv*", "annotations/*.csv*", "benchx/*.txt"),
)
