"""Find CheXpert's files: in one folder, or in the batches in which Stanford gives out the full version.

The small version has ``train/`` and ``valid/`` beside the tables. Of the full version, "CheXpert-v1.0 batch 1
(validate & csv)" holds the tables and ``valid/``, and batches 2 to 4 hold the patients of train, without a
folder ``train/``.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

WATCHED = ("*.csv*", "*.txt", "*.json", "CheXpert-v1.0*/*.csv*", "CheXpert-v1.0*/*.json")
"""Files from which the tables are made, also if the folder above is given."""
TRAIN = "train"


def home(root: Path) -> Path:
    """Return the folder with ``train.csv``: ``root``, or ``CheXpert-v1.0*`` in it (a version or batch 1)."""
    if not any(root.glob("train.csv*")):
        for inner in sorted(root.glob("CheXpert-v1.0*")):
            if any(inner.glob("train.csv*")):
                return inner
    return root


def placed(table: pd.DataFrame, tables: Path) -> tuple[Path, pd.DataFrame]:
    """Return the folder to which images are relative, and the table with each image where it is.

    A patient of train who is not in ``train/`` is looked for in the folders beside the tables, then in the
    other batches. Without such a patient, nothing changes.

    Args:
        table: rows with ``image`` ("train/patient00001/...") and ``patient_id``.
        tables: folder of ``train.csv`` (:func:`home`).
    """
    of_train = table["image"].str.startswith(f"{TRAIN}/").to_numpy()
    absent = of_train & ~table["patient_id"].isin(_patients(tables / TRAIN)).to_numpy()
    if not absent.any():
        return tables, table
    batches = [folder for folder in sorted(tables.parent.iterdir()) if _is_batch(folder)]
    for top, folders in ((tables, _folders(tables)), (tables.parent, batches)):
        where = {patient: place for place in _with_train(folders) for patient in _patients(place)}
        found = absent & table["patient_id"].isin(where).to_numpy()
        if found.any():
            return top, table.assign(image=_moved(table, found, where, tables, top))
    return tables, table


def _moved(
    table: pd.DataFrame, found: np.ndarray, where: dict[str, Path], tables: Path, top: Path
) -> list[str]:
    prefix = "" if tables == top else f"{tables.name}/"
    images = []
    for image, patient, elsewhere in zip(table["image"], table["patient_id"], found, strict=True):
        folder = where[patient].relative_to(top).as_posix() if elsewhere else ""
        images.append(f"{folder}/{image.removeprefix(f'{TRAIN}/')}" if elsewhere else prefix + image)
    return images


def _is_batch(folder: Path) -> bool:
    return folder.is_dir() and ("batch" in folder.name.lower() or folder.name.lower().startswith("chexpert"))


def _folders(place: Path) -> list[Path]:
    return [place, *(folder for folder in sorted(place.iterdir()) if folder.is_dir())]


def _with_train(folders: list[Path]) -> list[Path]:
    """Return the folders, and ``train/`` in them."""
    return [place for folder in folders for place in (folder, folder / TRAIN) if place.is_dir()]


def _patients(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries if entry.name.startswith("patient") and entry.is_dir()]
    except OSError:
        return []
