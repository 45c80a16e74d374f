"""Read VinDr-PCXR (Pham et al. 2023, PediCXR), radiographs of children, from the files of PhysioNet 1.0.0.

Names of files and columns are taken from public code: RadHarmony and readers of single projects, which agree.
They differ from VinDr-CXR's: one radiologist read each image, and ``rad_ID`` is written so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import NO_PATIENTS, Manifest
from prior_bench.data.readers.vindr_cxr.files import CONSENSUS, CORNERS, image_suffix, read_boxes
from prior_bench.data.readers.vindr_cxr.reader import image_boxes
from prior_bench.data.splitting.rules import Rule, apply_rule, describe, with_test
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError

FIVE = ("Bronchitis", "Brocho-pneumonia", "Bronchiolitis", "Pneumonia", "Other disease")
"""Default labels, spelled as in the files: the diseases of more than 50 test images."""
PARTS = ("train", "test")
READER = "rad_ID"
IDS = ("image_id", READER)


def read(
    root: Path, *, split: str = "default", labels: Sequence[str] = FIVE, missing: str = "error"
) -> Manifest:
    """Read one row per image, with its diseases as labels and the boxes of its findings.

    Args:
        root: folder with ``image_labels_*.csv``, ``annotations_*.csv``, ``train/`` and ``test/``.
        split: a name in :data:`RULES`.
        labels: columns of ``image_labels_train.csv``, also ``"No finding"``; by default :data:`FIVE`.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or a label is unknown.
    """
    parts = [_labels(root, part) for part in PARTS]
    known = [str(c) for c in parts[0] if c in parts[1] and c not in (*IDS, "part")]
    names = chosen_labels(labels, known, "disease of VinDr-PCXR", root)
    raw = pd.concat([part[["image_id", "part", *names]] for part in parts], ignore_index=True)
    drawn = pd.concat([_drawn(root, part) for part in PARTS], ignore_index=True)
    unlabelled = ~drawn["image_id"].isin(raw["image_id"])
    if unlabelled.any():
        what = f"have no image '{drawn.loc[unlabelled, 'image_id'].iloc[0]}', which has a box"
        raise BenchError(f"the image labels {what}", where=root, fix="download all four tables again")
    classes = tuple(sorted(drawn["class_name"].unique()))
    boxes = image_boxes(drawn, classes, fused=False, iou=1.0, agree=1)
    none = np.zeros((0, 5), np.float32)
    suffixes = {part: image_suffix(root, part) for part in PARTS}
    table = pd.DataFrame(
        {
            "id": raw["image_id"],
            "patient_id": raw["image_id"],
            "image": [f"{p}/{i}{suffixes[p]}" for p, i in zip(raw["part"], raw["image_id"], strict=True)],
            "part": raw["part"],
            "view": "PA",
            **{name: raw[name].astype(np.float32) for name in names},
            "boxes": pd.Series([boxes.get(i, none) for i in raw["image_id"]], dtype=object),
        }
    )
    table = apply_rule(split, RULES, table, "vindr_pcxr")
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest(
        "vindr_pcxr",
        root,
        table,
        labels=names,
        box_classes=classes,
        split_rule=split,
        notes=(NO_PATIENTS, *absent),
    )


def _labels(root: Path, part: str) -> pd.DataFrame:
    """The image labels of a part, one row per image."""
    place = find_table(root, f"image_labels_{part}.csv")
    raw = read_table(place, ("image_id",), text=IDS)
    values = raw.drop(columns=[c for c in IDS if c in raw])
    wrong = ~values.isin([0, 1]).all(axis=1).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        what = "a label is neither 0 nor 1"
        raise BenchError(what, where=f"{place}, line {row + 2}", fix="download the file again")
    if raw["image_id"].duplicated().any():
        row = int(np.argmax(raw["image_id"].duplicated()))
        what = f"image '{raw['image_id'].iloc[row]}' occurs a second time; expected is one radiologist each"
        raise BenchError(what, where=f"{place}, line {row + 2}", fix="download the file again")
    return raw.assign(part=part)


def _drawn(root: Path, part: str) -> pd.DataFrame:
    """The boxes of a part: image_id, class_name and corners."""
    place = find_table(root, f"annotations_{part}.csv")
    raw = read_table(place, ("image_id", "class_name", *CORNERS), text=(*IDS, "class_name"))
    return read_boxes(raw.assign(rad_id=CONSENSUS), place)


# --- split rules --------------------------------------------------------------------------------------


def official_split(table: pd.DataFrame) -> pd.DataFrame:
    """The official test set; 10 % of train validates, seed 0."""
    train, test = table[table["part"] == "train"], table[table["part"] == "test"]
    return with_test(train, test, 0.1)


RULES: dict[str, Rule] = {"default": official_split}
"""Split rules by name."""

CARD = Card(
    title="VinDr-PCXR 1.0.0 (PhysioNet), also PediCXR",
    what="Postero-anterior radiographs of children under ten years from Vietnam, 2020 to 2021. A radiologist "
    "labelled each for 15 diseases of the whole image, and drew boxes of 36 findings.",
    size="7,728 images in train, 1,397 in test (DICOM)",
    source="https://physionet.org/content/vindr-pcxr/",
    access="PhysioNet, restricted access (licence and agreement there); cite Pham et al., Scientific Data "
    "2023 (doi 10.1038/s41597-023-02102-5), and doi 10.13026/k8qc-na36",
    tree="""
image_labels_train.csv, image_labels_test.csv    image_id,rad_ID,No finding,Bronchitis,...
annotations_train.csv, annotations_test.csv      image_id,rad_ID,class_name,x_min,y_min,x_max,y_max
train/<image_id>.dicom
test/<image_id>.dicom
""",
    splits=describe(RULES),
    options={
        "labels": f"columns of image_labels_train.csv, also 'No finding'; default: {', '.join(FIVE)}",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The other nine diseases have at most 3 test images each.",
        "Boxes are in pixels of the DICOM files, so that they are wrong for a resized re-pack.",
        "Sex and age are in the DICOM headers only, and not read; patients are not identified.",
        "Names of diseases and findings keep the spelling of the files ('Brocho-pneumonia').",
        "The files were not at hand: their columns are taken from public code (unverified).",
    ),
    annotations=("labels", "boxes"),
    published={"default": {"images": (6955, 773, 1397)}, "all": {"images": (9125,)}},
    watched=tuple(f"{kind}_{part}.csv*" for kind in ("image_labels", "annotations") for part in PARTS),
)
