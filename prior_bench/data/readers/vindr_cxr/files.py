"""Read the two distributions of VinDr-CXR, PhysioNet 1.0.0 and Kaggle VinBigData, into one form.

PhysioNet has a table of image labels and a test set. Kaggle has one table of boxes, in which "No finding" is
a class, and no labels for its test images.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.errors import BenchError

NO_FINDING = "No finding"
SPELLINGS = {"Other disease": "Other diseases"}  # spelling of the test labels: of the train labels
CORNERS = ("x_min", "y_min", "x_max", "y_max")
CONSENSUS = "consensus"
"""Name of the reader if several readers agreed on one reading."""
IDS = ("image_id", "rad_id")
SUFFIXES = (".dicom", ".dcm", ".png", ".jpg", ".jpeg")


@dataclass(frozen=True)
class Annotations:
    """The annotations of all readers.

    Attributes:
        distribution: ``"PhysioNet 1.0.0"`` or ``"Kaggle VinBigData"``.
        images: one row per image: id, part (train or test).
        votes: [images, findings], share of the image's readers who saw the finding; NaN if the file of the
            image's part does not have the finding.
        readers: [images], number of readers of each image.
        boxes: one row per box: image_id, rad_id, class_name and the corners in pixels.
    """

    distribution: str
    images: pd.DataFrame
    votes: pd.DataFrame
    readers: pd.Series
    boxes: pd.DataFrame


def read_annotations(root: Path) -> Annotations:
    """Read the distribution that is in ``root``.

    Raises:
        BenchError: there is no distribution, or a file is malformed.
    """
    folder = root / "annotations" if (root / "annotations").is_dir() else root
    if any(folder.glob("image_labels_train.csv*")):
        return _physionet(folder)
    return _kaggle(find_table(root, "train.csv", "vinbigdata-train.csv"))


def _kaggle(place: Path) -> Annotations:
    raw = read_table(place, (*IDS, "class_name", *CORNERS), text=(*IDS, "class_name"))
    classes = raw.loc[raw["class_name"] != NO_FINDING, "class_name"]
    if classes.isna().any():
        raise BenchError("a row has no class_name", where=place, fix="download the file again")
    seen = raw.drop_duplicates([*IDS, "class_name"])
    ids = pd.Index(raw["image_id"].unique())
    readers = raw.groupby("image_id")["rad_id"].nunique().reindex(ids)
    counts = pd.crosstab(seen["image_id"], seen["class_name"]).reindex(ids)
    votes = counts.drop(columns=NO_FINDING, errors="ignore").div(readers, axis=0)
    images = pd.DataFrame({"id": ids, "part": "train"})
    return Annotations("Kaggle VinBigData", images, votes, readers, read_boxes(raw, place))


def _physionet(folder: Path) -> Annotations:
    parts, readers, boxes = [], [], []
    for part in ("train", "test"):
        place = find_table(folder, f"image_labels_{part}.csv")
        raw = read_table(place, ("image_id",), text=IDS)
        raw = raw.rename(columns=SPELLINGS)
        findings = [str(c) for c in raw if c not in (*IDS, NO_FINDING)]
        raw[findings] = raw[findings].fillna(0)
        wrong = ~raw[findings].isin([0, 1]).all(axis=1).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BenchError(
                "a label is neither 0 nor 1", where=f"{place}, line {row + 2}", fix="download the file again"
            )
        by_image = raw.groupby("image_id", sort=False)
        parts.append(by_image[findings].mean().assign(part=part))
        readers.append(by_image.size())
        place = find_table(folder, f"annotations_{part}.csv")
        drawn = read_table(place, ("image_id", "class_name", *CORNERS), text=(*IDS, "class_name"))
        # the test set has one row for the five readers' consensus
        boxes.append(read_boxes(drawn.assign(rad_id=drawn.get("rad_id", CONSENSUS)), place))
    whole = pd.concat(parts)
    images = pd.DataFrame({"id": whole.index, "part": whole["part"].to_numpy()})
    votes = whole.drop(columns="part")
    return Annotations("PhysioNet 1.0.0", images, votes, pd.concat(readers), pd.concat(boxes))


def read_boxes(raw: pd.DataFrame, place: Path) -> pd.DataFrame:
    """Return the rows with a box.

    Raises:
        BenchError: a box has no extent, or lacks a corner.
    """
    drawn = raw[raw["class_name"].ne(NO_FINDING) & raw[list(CORNERS)].notna().any(axis=1)]
    corners = drawn[list(CORNERS)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    broken = ~((corners[:, 2:] > corners[:, :2]).all(axis=1))
    if broken.any():
        row = int(drawn.index[int(np.argmax(broken))])
        raise BenchError(
            f"box of image '{drawn['image_id'].loc[row]}' has no extent",
            where=f"{place}, line {row + 2}",
            fix="x_min < x_max and y_min < y_max; download the file again",
        )
    return drawn[[*IDS, "class_name", *CORNERS]]


def image_suffix(root: Path, part: str) -> str:
    """Return the suffix of the images in ``root / part``: ``.dicom`` as downloaded, or that of a re-pack."""
    folder = root / part
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.suffix.lower() in SUFFIXES:
                return entry.suffix
    return SUFFIXES[0]
