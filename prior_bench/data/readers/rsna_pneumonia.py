"""Read RSNA Pneumonia Detection, stage 2 (Shih et al. 2019), from the unchanged files of Kaggle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.boxes import boxes_of_sides, read_sides
from prior_bench.data.annotations.masks import BoxMask
from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.splitting import prior
from prior_bench.data.splitting.rules import (
    LOVT_LISTS,
    SHARES,
    Rule,
    apply_rule,
    by_group,
    by_lists,
    concatenated,
    count_of,
    describe,
    shares_of_splits,
)
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError

LABEL = "Pneumonia"
IMAGES = 26_684
"""Number of images in the published data set."""
BOX = ("x", "y", "width", "height")


def read(
    root: Path,
    *,
    split: str = "default",
    counts: str = "fixed",
    shares: Sequence[float] = SHARES,
    missing: str = "error",
) -> Manifest:
    """Read one row per image, with its label, its boxes, and the filled boxes as a mask.

    Args:
        root: folder with ``stage_2_train_labels.csv`` and ``stage_2_train_images/``.
        split: a name in :data:`RULES`.
        counts: ``"fixed"``, or ``"shares"`` to scale the counts of the rule ``mgca_detection`` to the number
            of images (:func:`prior_bench.data.splitting.rules.count_of`).
        shares: of the images that train, validate and test by the rule ``default``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed.
    """
    place = find_table(root, "stage_2_train_labels.csv")
    how = dict(root=root, counts=counts, shares=shares)
    table = apply_rule(split, RULES, read_labels(place), "rsna_pneumonia", **how)
    table, absent = require_images(table, root, missing=missing, where=place)
    return Manifest(
        "rsna_pneumonia",
        root,
        table,
        labels=(LABEL,),
        box_classes=("pneumonia",),
        split_rule=split,
        notes=absent,
    )


def read_labels(place: Path) -> pd.DataFrame:
    """Read the label file (one row per box) as one row per image, sorted by id.

    Raises:
        BenchError: a positive row has no box, a box has no extent, or a target is not 0 or 1.
    """
    raw = read_table(place, ("patientId", *BOX, "Target"), text=("patientId",))
    raw = raw.sort_values("patientId", kind="stable", ignore_index=True)
    unknown = ~raw["Target"].isin([0, 1]).to_numpy()
    if unknown.any():
        row = int(np.argmax(unknown))
        raise BenchError(
            f"image '{raw['patientId'].iloc[row]}' has Target '{raw['Target'].iloc[row]}', neither 0 nor 1",
            where=place,
            fix="download the file again",
        )
    positive = raw["Target"].eq(1).to_numpy()
    sides, usable = read_sides(raw[list(BOX)])
    broken = positive & ~usable
    if broken.any():
        first = raw["patientId"].iloc[int(np.argmax(broken))]
        raise BenchError(
            f"image '{first}' has Target 1 but no usable box", where=place, fix="download the file again"
        )
    drawn = boxes_of_sides(sides, np.zeros(len(sides)))
    ids, starts = np.unique(raw["patientId"].to_numpy(dtype=str), return_index=True)
    ends = np.append(starts[1:], len(raw))
    boxes = [drawn[a:b][positive[a:b]] for a, b in zip(starts, ends, strict=True)]
    return pd.DataFrame(
        {
            "id": ids,
            "patient_id": ids,
            "image": [f"stage_2_train_images/{i}.dcm" for i in ids],
            LABEL: np.array([float(len(b) > 0) for b in boxes], np.float32),
            "boxes": pd.Series(boxes, dtype=object),
            "mask": pd.Series([BoxMask(b) for b in boxes], dtype=object),
        }
    )


# --- split rules --------------------------------------------------------------------------------------


def stratified_split(table: pd.DataFrame, *, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """70/15/15 by patient, with equal shares of pneumonia in all splits; seed 0."""
    return by_group(table, shares_of_splits(shares), stratify=[LABEL])


def mgca_classification_split(table: pd.DataFrame) -> pd.DataFrame:
    """The split of GLoRIA's and MGCA's classification: 18,678/4,003/4,003, random state 0, not stratified."""
    return _halved(table, held_out=0.3)


def mgca_detection_split(table: pd.DataFrame, *, counts: str = "fixed") -> pd.DataFrame:
    """The split of MGCA's detection and segmentation: 16,010/5,337/5,337, random state 0, not stratified.

    1,328 of its test images are in the training split of the classification rule.
    """
    return _halved(table, held_out=2 * count_of(5337, IMAGES, len(table), counts))


def _halved(table: pd.DataFrame, held_out: float | int) -> pd.DataFrame:
    from sklearn.model_selection import train_test_split

    train, rest = train_test_split(table, test_size=held_out, random_state=0)
    test, valid = train_test_split(rest, test_size=0.5, random_state=0)  # the first half is the test set
    return concatenated({"train": train, "valid": valid, "test": test})


def benchx_split(table: pd.DataFrame) -> pd.DataFrame:
    """BenchX's split: 18,678/4,003/4,003, stratified by label, random state 42."""
    from sklearn.model_selection import train_test_split

    how = dict(random_state=42)
    train, rest = train_test_split(table, test_size=0.3, stratify=table[LABEL], **how)
    valid, test = train_test_split(rest, test_size=0.5, stratify=rest[LABEL], **how)
    return concatenated({"train": train, "valid": valid, "test": test})


def lovt_lists(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """LoVT's lists, copied to lovt/ next to the label file: 16,010/5,337/5,337; not regenerable."""
    return by_lists(table, root, LOVT_LISTS)


def prior_folds(table: pd.DataFrame, *, draw: int = 0) -> pd.DataFrame:
    """PRIOR's cross-validation: the 6,012 positive images in five folds; the seed names the tested one.

    The next fold validates. The folds are ours: PRIOR's lists were not released.
    """
    return prior.positive_folds(table, LABEL, draw)


def prior_classification_split(table: pd.DataFrame, *, draw: int = 0) -> pd.DataFrame:
    """PRIOR's 6:2:2 for classification, drawn anew by each seed; the draws are ours."""
    return prior.shares_by_seed(table, draw, stratify=[LABEL])


RULES: dict[str, Rule] = {
    "default": stratified_split,
    "mgca_classification": mgca_classification_split,
    "mgca_detection": mgca_detection_split,
    "benchx": benchx_split,
    "lovt": lovt_lists,
    "prior": prior_folds,
    "prior_classification": prior_classification_split,
}
"""Split rules by name."""

CARD = Card(
    title="RSNA Pneumonia Detection Challenge, stage 2",
    what="Frontal radiographs from NIH ChestX-ray14, with boxes around opacities suspicious of pneumonia "
    "drawn by radiologists; 6,012 images are positive, with 9,555 boxes.",
    size="26,684 images (1024 x 1024 DICOM), about 4 GB",
    source="https://www.kaggle.com/c/rsna-pneumonia-detection-challenge",
    access="Kaggle account and competition rules (research and education)",
    tree="""
stage_2_train_labels.csv
stage_2_train_images/<patientId>.dcm
lovt/train.csv, validation.csv, test.csv     (LoVT's lists; only for the rule lovt)
""",
    splits=describe(RULES),
    options={
        "counts": "fixed, or shares to scale the counts of the rule mgca_detection to the number of images",
        "shares": "of the images that train, validate and test by the rule default; 0.7, 0.15, 0.15",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The test sets of published splits overlap the training sets of others: compare only under one rule.",
        '"Segmentation" on this data set uses filled boxes: there are no pixel masks.',
        "patientId identifies an image: patients of NIH ChestX-ray14 with several images "
        "cannot be distinguished here.",
    ),
    annotations=("labels", "boxes", "masks"),
    published={
        "mgca_classification": {
            "images": (18678, 4003, 4003),
            "positive: Pneumonia": (4162, 928, 922),
        },
        "mgca_detection": {
            "images": (16010, 5337, 5337),
            "positive: Pneumonia": (3579, 1182, 1251),
            "boxes": (5678, 1892, 1985),
        },
        "benchx": {"images": (18678, 4003, 4003), "positive: Pneumonia": (4208, 902, 902)},
        "default": {"images": (18679, 4002, 4003)},
        "lovt": {"images": (16010, 5337, 5337), "positive: Pneumonia": (3584, 1210, 1218)},
        "prior": {"images": (3606, 1203, 1203), "positive: Pneumonia": (3606, 1203, 1203)},
        "prior_classification": {"images": (16010, 5337, 5337)},
        "all": {"images": (26684,), "positive: Pneumonia": (6012,), "boxes": (9555,)},
    },
    watched=(*WATCHED, "lovt/*.csv"),
)
