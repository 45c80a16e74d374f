"""Read PadChest (Bustos et al. 2020) from the table and the PNG files of BIMCV.

Columns, values and counts are those of the table as torchxrayvision includes it (version 160K_01.02.19).
Where the images are is taken from public code that reads them.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import ABOUT, Manifest
from prior_bench.data.splitting.rules import SHARES, Rule, apply_rule, by_group, describe, shares_of_splits
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.chosen_labels import chosen_labels
from prior_bench.data.tables.listed_images import require_images
from prior_bench.data.texts.sentences import split_sentences
from prior_bench.errors import BenchError, unknown_name

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_*.csv"
COLUMNS = (
    "ImageID", "ImageDir", "StudyDate_DICOM", "StudyID", "PatientID", "PatientBirth", "PatientSex_DICOM",
    "Projection", "Report", "MethodLabel", "Labels",
)  # fmt: skip
FREQUENT = (
    "COPD signs", "air trapping", "alveolar pattern", "aortic elongation", "apical pleural thickening",
    "atelectasis", "bronchiectasis", "calcified granuloma", "cardiomegaly", "consolidation",
    "costophrenic angle blunting", "fibrotic band", "heart insufficiency", "hemidiaphragm elevation",
    "hiatal hernia", "infiltrates", "interstitial pattern", "kyphosis", "laminar atelectasis", "nodule",
    "pacemaker", "pleural effusion", "pneumonia", "scoliosis", "vascular hilar enlargement", "volume loss",
)  # fmt: skip
"""Default labels: findings and diagnoses of more than 2,000 images, without tubes, traces of operations and
changes of the spine."""
VIEWS = {"frontal": ("PA", "AP", "AP_horizontal"), "lateral": ("L",)}
"""Values of ``Projection`` by choice of views."""
METHODS = {"all": ("Physician", "RNN_model"), "physician": ("Physician",), "rnn": ("RNN_model",)}
"""Values of ``MethodLabel`` by choice of annotators."""
MOST_LETTERS = 10_000
"""Letters of the longest cell of labels that is read; Python needs 300 bytes for each."""
FOLDERS = ("{dir}", "images/{dir}", "images", "images-224")
"""Where an image is looked for; the last one is a re-pack of 224 x 224 pixels."""


def read(
    root: Path,
    *,
    split: str = "default",
    labels: Sequence[str] = FREQUENT,
    views: str | Sequence[str] = "frontal",
    method: str = "all",
    missing: str = "error",
) -> Manifest:
    """Read one row per image of the selected views, with its labels and its report.

    Args:
        root: folder with the table, and the images in ``0/`` ... ``54/`` (or one of :data:`FOLDERS`).
        split: a name in :data:`RULES`.
        labels: labels of the table, by default :data:`FREQUENT`.
        views: ``"frontal"``, ``"lateral"``, ``"all"``, or values of ``Projection``.
        method: whose labels: ``"all"``, those that a ``"physician"`` assigned, or those of the ``"rnn"``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or an option is wrong.
    """
    if method not in METHODS:
        raise unknown_name("method of labelling", method, list(METHODS), where="padchest")
    place = find_table(root, TABLE)
    raw = read_table(place, COLUMNS, text=COLUMNS)
    found = pd.Series([read_labels(cell, place, line) for line, cell in enumerate(raw["Labels"], 2)])
    known = sorted(set(FREQUENT).union(*found.dropna()))
    names = chosen_labels(labels, known, "label of PadChest", place)
    kept = raw["MethodLabel"].isin(METHODS[method]) & raw["Projection"].isin(_projections(views, raw))
    if not kept.any():
        what = f"no image has the view {views} and labels of method {method}"
        raise BenchError(what, where=place, fix="choose other views, or method='all'")
    table = _rows(raw[kept])
    of_rows = found[kept]
    for name in names:
        values = [np.nan if row is None else float(name in row) for row in of_rows]
        table[name] = np.array(values, np.float32)
    table = apply_rule(split, RULES, table.reset_index(drop=True), "padchest")
    table["image"] = _located(table.pop("folder"), table["id"], root)
    table, absent = require_images(table, root, missing=missing, where=place)
    return Manifest("padchest", root, table, labels=names, split_rule=split, notes=absent)


def read_labels(cell: object, place: Path, line: int) -> frozenset[str] | None:
    """Read the labels of an image, ``"['pneumonia', ' pleural effusion']"``; None where the cell is blank.

    Many labels have a blank before them, and some are empty.

    Raises:
        BenchError: the cell is not a list of texts.
    """
    if not isinstance(cell, str):
        return None
    try:
        labels = ast.literal_eval(cell) if len(cell) <= MOST_LETTERS else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        labels = None
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        what = f"labels '{cell[:60]}' are not of the form ['nodule', 'scoliosis']"
        raise BenchError(what, where=f"{place}, line {line}", fix="download the file again")
    return frozenset(label.strip() for label in labels if label.strip())


def _projections(views: str | Sequence[str], raw: pd.DataFrame) -> Sequence[str]:
    known = sorted(raw["Projection"].dropna().unique())
    if views == "all":
        return known
    if isinstance(views, str) and views in VIEWS:
        return VIEWS[views]
    chosen = [views] if isinstance(views, str) else list(views)
    for view in chosen:
        if view not in known:
            raise unknown_name("view", str(view), [*VIEWS, "all", *known], where="padchest")
    return chosen


def _rows(raw: pd.DataFrame) -> pd.DataFrame:
    """Everything but the labels, one row per image; ages are the year of the study less that of birth."""
    born = pd.to_numeric(raw["PatientBirth"], errors="coerce")
    taken = pd.to_numeric(raw["StudyDate_DICOM"].str[:4], errors="coerce")
    reports = [split_sentences(text) or None if isinstance(text, str) else None for text in raw["Report"]]
    return pd.DataFrame(
        {
            "id": raw["ImageID"],
            "patient_id": raw["PatientID"],
            "study_id": raw["StudyID"],
            "folder": raw["ImageDir"],
            "view": raw["Projection"].replace("AP_horizontal", "AP"),
            "report": pd.Series(reports, index=raw.index, dtype=object),
            f"{ABOUT}sex": raw["PatientSex_DICOM"],
            f"{ABOUT}age": taken - born,
            f"{ABOUT}projection": raw["Projection"],
        }
    )


def _located(folders: pd.Series, names: pd.Series, root: Path) -> list[str]:
    """The path of each image: the first of :data:`FOLDERS` that has it, or the first of all."""
    there: dict[str, set[str]] = {}
    images = []
    for folder, name in zip(folders, names, strict=True):
        places = [pattern.format(dir=folder) for pattern in FOLDERS]
        for place in places:
            if place not in there:
                there[place] = set(os.listdir(root / place)) if (root / place).is_dir() else set()
        images.append(f"{next((place for place in places if name in there[place]), places[0])}/{name}")
    return images


# --- split rules --------------------------------------------------------------------------------------


def default_split(table: pd.DataFrame) -> pd.DataFrame:
    """70/15/15 by patient, seed 0 (there is no official split)."""
    return by_group(table, shares_of_splits(SHARES))


RULES: dict[str, Rule] = {"default": default_split}
"""Split rules by name."""

CARD = Card(
    title="PadChest",
    what="Radiographs of the Hospital San Juan (Alicante), 2009 to 2017, with their Spanish reports and 193 "
    "labels (findings, diagnoses, devices): physicians labelled 39,053 images, a network the others from the "
    "reports.",
    size="160,861 images in the table, of 67,625 patients (109,931 studies); 52 archives of 20 GB "
    "(16-bit PNG)",
    source="https://bimcv.cipf.es/bimcv-projects/padchest/ (archives 0.zip to 50.zip and 54.zip); at 224 x "
    "224 from academictorrents.com (96ebb4f92b85929eadfb16761f310a6d04105797)",
    access="research use agreement of BIMCV; cite Bustos et al., Medical Image Analysis 2020;66:101797",
    tree="""
PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv   (or .csv.gz)
0/<ImageID>  ...  54/<ImageID>                         (or images/0/..., images/, images-224/)
""",
    splits=describe(RULES),
    options={
        "labels": f"labels of the table; default: {', '.join(FREQUENT)}",
        "views": "frontal (PA, AP, AP_horizontal), lateral (L), all, or values of Projection",
        "method": "all, physician (labels assigned by hand) or rnn (labels of the network)",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "Reports are lower-case word stems without accents ('sin hallazg patolog'): they are no prose, and "
        "their sentences end with ' . '.",
        "Labels are a tree, but an image has only the terms that its report states: 'loculated pleural "
        "effusion' does not imply 'pleural effusion' here.",
        "103 images have no labels: they are unknown there, not negative. 'exclude' and 'suboptimal study' "
        "are labels, and such images are kept.",
        "torchxrayvision leaves out 21 images that are absent or truncated in its copy; data check finds "
        "those of yours.",
        "PadChest-GR has images of these patients: a model trained here may have seen them.",
        "Where archives are unpacked to is taken from public code (unverified).",
    ),
    annotations=("labels", "reports"),
    watched=(f"{TABLE}*",),
)
