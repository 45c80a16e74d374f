"""Read CheXpert v1.0, full or small (Irvin et al. 2019), from the unchanged files of Stanford."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import ABOUT, Manifest
from prior_bench.data.readers.chexpert.labels import FOURTEEN, label_set, resolve_labels
from prior_bench.data.readers.chexpert.layout import WATCHED, home, placed
from prior_bench.data.readers.chexpert.pools import GLORIA_SEED, draw
from prior_bench.data.splitting import prior
from prior_bench.data.splitting.rules import apply_rule, concatenated, count_of, describe, with_test
from prior_bench.data.tables.annotation_tables import find_table, read_table, require_columns
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError

ROWS = 223_414
"""Number of rows in the published train.csv."""


def read(
    root: Path,
    *,
    split: str = "default",
    views: str | Sequence[str] = "frontal",
    labels: str | Sequence[str] = "five",
    uncertain: str = "gloria",
    counts: str = "fixed",
    missing: str = "error",
) -> Manifest:
    """Read one row per image of the selected views.

    Args:
        root: folder with ``train.csv``, ``valid.csv``, ``train/`` and ``valid/``, or the folder above it, or
            that of the batches of the full version (:mod:`prior_bench.data.readers.chexpert.layout`).
        split: a name in :data:`RULES`.
        views: ``"frontal"``, ``"lateral"``, ``"all"``, or values of ``AP/PA``.
        labels: ``"five"``, ``"fourteen"``, or a list.
        uncertain: policy for -1, in :data:`prior_bench.data.readers.chexpert.labels.UNCERTAIN`; blank is
            negative.
        counts: ``"fixed"``, or ``"shares"`` to scale the counts of the rules ``mgca`` and ``gloria`` to the
            number of rows (:func:`prior_bench.data.splitting.rules.count_of`).
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed.
    """
    root = home(root)
    names = label_set(labels)
    parts = [read_labels(root, "train"), read_labels(root, "valid", names)]
    table = apply_rule(split, RULES, pd.concat(parts, ignore_index=True), "chexpert", counts=counts)
    table = of_views(table, views, root)
    for name, values in resolve_labels(table, names, uncertain, where=root).items():
        table[name] = values
    table = table.drop(columns=[c for c in FOURTEEN if c in table and c not in names])
    root, table = placed(table, root)
    table, absent = require_images(table, root, missing=missing, where=root)
    return Manifest("chexpert", root, table, labels=names, split_rule=split, notes=absent)


def read_labels(root: Path, part: str, labels: Sequence[str] = FOURTEEN) -> pd.DataFrame:
    """Read ``train.csv`` or ``valid.csv`` in the order of the file, with raw values (1, 0, -1, NaN).

    Columns: id, patient_id, study_id, image, frontal, view, part, about_sex and about_age if the file has
    them, and the observations in the file. Some copies of ``valid.csv`` lack a few observations; only
    ``labels`` are required.

    Raises:
        BenchError: the file is missing or malformed.
    """
    place = find_table(root, f"{part}.csv")
    raw = read_table(place, ("Path",), text=("Path",))
    require_columns(raw, labels, place)
    image = raw["Path"].str.partition("/")[2]  # drops "CheXpert-v1.0" or "CheXpert-v1.0-small"
    pieces = image.str.split("/", expand=True)
    odd = pieces.isna().any(axis=1).to_numpy() if pieces.shape[1] == 4 else np.ones(len(raw), bool)
    if odd.any():
        first = raw["Path"].iloc[int(np.argmax(odd))]
        raise BenchError(
            f"'{first}' is not a path like CheXpert-v1.0/{part}/patient00001/study1/view1_frontal.jpg",
            where=place,
            fix="use the unchanged file of Stanford",
        )
    if "Frontal/Lateral" in raw:
        frontal = raw["Frontal/Lateral"].eq("Frontal")
    else:
        frontal = pieces[3].str.contains("frontal")
    table = pd.DataFrame(
        {
            "id": image.str.rpartition(".")[0],
            "patient_id": pieces[1],
            "study_id": pieces[1] + "/" + pieces[2],
            "image": image,
            "frontal": frontal,
            "view": raw["AP/PA"] if "AP/PA" in raw else None,
            "part": part,
        }
    )
    for name in ("Sex", "Age"):
        if name in raw:
            table[f"{ABOUT}{name.lower()}"] = raw[name]
    return table.join(raw[[c for c in FOURTEEN if c in raw]])


def of_views(table: pd.DataFrame, views: str | Sequence[str], where: object) -> pd.DataFrame:
    """Return the rows of the selected views (see :func:`read`).

    Raises:
        BenchError: no row has such a view.
    """
    if views == "all":
        return table
    if views in ("frontal", "lateral"):
        kept = table[table["frontal"] == (views == "frontal")]
    else:
        kept = table[table["view"].isin([views] if isinstance(views, str) else list(views))]
    if not len(kept):
        raise BenchError(
            f"no image has the view {views}", where=where, fix="use frontal, lateral, all, AP or PA"
        )
    return kept.reset_index(drop=True)


# --- split rules --------------------------------------------------------------------------------------


def patient_split(table: pd.DataFrame) -> pd.DataFrame:
    """valid.csv (labelled by radiologists) is the test set; 10 % of train.csv's patients validate; seed 0."""
    return with_test(table[table["part"] == "train"], table[table["part"] == "valid"], 0.1)


def mgca_split(table: pd.DataFrame, *, counts: str = "fixed") -> pd.DataFrame:
    """MGCA's released code: without 5x200; 5,000 random rows validate; valid.csv is the test set.

    Defects reproduced: validation rows are drawn by position, but removed from train by index label. The
    index has gaps, because the 5x200 images were removed, so that 4,907 of the 5,000 rows stay in train
    (their second occurrence has the id ``...#valid``). Splits also share patients.
    """
    return _leaking(table, counts, of_5x200=0, of_validation=np.random.RandomState(0))


def gloria_split(table: pd.DataFrame, *, counts: str = "fixed") -> pd.DataFrame:
    """GLoRIA's released code, with the defects of MGCA's; one random stream of seed 6 makes all draws.

    The import of GLoRIA's package sets the seed (gloria/gloria.py), before its script draws.
    """
    stream = np.random.RandomState(GLORIA_SEED)
    return _leaking(table, counts, of_5x200=stream, of_validation=stream)


def _leaking(
    table: pd.DataFrame,
    counts: str,
    *,
    of_5x200: int | np.random.RandomState,
    of_validation: np.random.RandomState,
) -> pd.DataFrame:
    train = table[table["part"] == "train"].reset_index(drop=True)
    per_class, valid = (count_of(n, ROWS, len(train), counts) for n in (200, 5000))
    train = train.drop(draw(train[train["frontal"]], "mgca", per_class, of_5x200).index)
    positions = of_validation.choice(len(train), valid, replace=False)
    return concatenated(
        {
            "train": train.drop(positions, errors="ignore"),
            "valid": train.iloc[positions],
            "test": table[table["part"] == "valid"],
        }
    )


def prior_classification_split(table: pd.DataFrame, *, draw: int = 0) -> pd.DataFrame:
    """PRIOR's 6:2:2 for classification: train.csv's patients, drawn anew by each seed; the draws are ours.

    It is not stated whether PRIOR's split is by patient, nor what it does with valid.csv, which is left out.
    """
    return prior.shares_by_seed(table[table["part"] == "train"], draw)


RULES = {
    "default": patient_split,
    "mgca": mgca_split,
    "gloria": gloria_split,
    "prior_classification": prior_classification_split,
}
"""Split rules by name."""

CARD = Card(
    title="CheXpert v1.0 (full or small)",
    what="Chest radiographs of Stanford Hospital, 2002-2017, with 14 observations extracted from reports "
    "(1, 0, uncertain -1, or blank); valid.csv was labelled by three radiologists.",
    size="223,414 training images (191,027 frontal) of 64,540 patients, 234 in valid.csv (202 frontal); "
    "439 GB, small version 11 GB",
    source="https://stanfordmlgroup.github.io/competitions/chexpert/ (now at the Stanford AIMI centre)",
    access="Stanford research use agreement; no redistribution",
    tree="""
train.csv
valid.csv
train/patient00001/study1/view1_frontal.jpg
valid/patient64541/study1/view1_frontal.jpg

or the batches of the full version, as given out
CheXpert-v1.0 batch 1 (validate & csv)/train.csv, valid.csv, valid/patient64541/...
CheXpert-v1.0 batch 2 (train 1)/patient00001/...   and so on to batch 4
""",
    splits=describe(RULES),
    options={
        "views": "frontal, lateral, all, or values of AP/PA",
        "labels": f"five, fourteen, or a list from: {', '.join(FOURTEEN)}",
        "uncertain": "gloria (Atelectasis, Edema, Pleural Effusion positive; Cardiomegaly, Consolidation "
        "negative), ones, zeros, ignore (unknown)",
        "counts": "fixed, or shares to scale the counts of the rules mgca and gloria to the number of rows",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "The reports are not public; GLoRIA was pre-trained on them.",
        "The 5x200 sets (chexpert_5x200) are drawn from train.csv: a model fine-tuned on the default "
        "split has seen them.",
    ),
    annotations=("labels",),
    watched=WATCHED,
    published={
        "mgca": {"images": (185771, 4284, 202)},
        "default": {"images": (171771, 19256, 202)},
    },
)
