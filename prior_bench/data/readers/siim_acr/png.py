"""Read the PNG re-pack of SIIM-ACR (Kaggle, vbookshelf), which BenchX uses: images, masks and two tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import FileMask, RleMask
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.errors import BenchError

TABLES = ("stage_1_train_images.csv", "stage_1_test_images.csv")
IMAGES, MASKS = "png_images", "png_masks"
INNER = "siim-acr-pneumothorax"
"""Folder that unpacking the download creates."""


def home(root: Path) -> Path:
    """Return the folder with the two tables: ``root``, or the folder that unpacking the download creates."""
    inner = root / INNER
    return inner if any(inner.glob(f"{TABLES[0]}*")) else root


def is_repack(root: Path) -> bool:
    """Whether the folder contains the re-pack."""
    return any(root.glob(f"{TABLES[0]}*"))


def read_repack(root: Path, label: str) -> pd.DataFrame:
    """Read one row per image: id, patient_id and image_id (as in the original), image, name, mask and label.

    Args:
        root: folder with both tables, ``png_images/`` and ``png_masks/``.
        label: name of the label column.

    Raises:
        BenchError: a table or column is missing, or a label is neither 0 nor 1.
    """
    parts = []
    for name in TABLES:
        place = find_table(root, name)
        raw = read_table(place, ("new_filename", "ImageId", "has_pneumo"), text=("new_filename", "ImageId"))
        wrong = ~raw["has_pneumo"].isin([0, 1]).to_numpy()
        if wrong.any():
            row = int(np.argmax(wrong))
            raise BenchError(
                f"has_pneumo is '{raw['has_pneumo'].iloc[row]}', neither 0 nor 1",
                where=f"{place}, line {row + 2}",
                fix="download the file again",
            )
        parts.append(raw)
    raw = pd.concat(parts, ignore_index=True)
    files, positive = raw["new_filename"].str.strip(), raw["has_pneumo"].eq(1)
    masks = [FileMask(f"{MASKS}/{f}", root) if p else RleMask() for f, p in zip(files, positive, strict=True)]
    ids = raw["ImageId"].str.strip()
    return pd.DataFrame(
        {
            "id": ids,
            "patient_id": ids,
            "image_id": ids,
            "image": f"{IMAGES}/" + files,
            "name": files,
            label: positive.astype(np.float32),
            "mask": pd.Series(masks, dtype=object),
        }
    )
