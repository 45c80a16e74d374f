"""Read SIIM-ACR Pneumothorax Segmentation (2019) from the unchanged files of Kaggle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.masks import RleMask, run_bounds
from prior_bench.data.cards import WATCHED, Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.siim_acr import png as siim_png
from prior_bench.data.splitting import prior
from prior_bench.data.splitting.rules import (
    BENCHX_LISTS,
    LOVT_LISTS,
    SHARES,
    Rule,
    apply_rule,
    by_group,
    by_lists,
    concatenated,
    describe,
    shares_of_splits,
)
from prior_bench.data.tables.annotation_tables import find_table, read_table
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError

LABEL = "Pneumothorax"
IMAGES = "dicom-images-train"
NEGATIVE = "-1"


def read(
    root: Path, *, split: str = "default", shares: Sequence[float] = SHARES, missing: str = "error"
) -> Manifest:
    """Read one row per image, with its label and mask; the rule ``mgca`` can repeat images.

    Args:
        root: folder with ``train-rle.csv`` and ``dicom-images-train/``, or folder of the PNG re-pack, which
            needs ``train-rle.csv`` only for the rule ``mgca``.
        split: a name in :data:`RULES`.
        shares: of the images that train, validate and test by the rule ``default``.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed.
    """
    root = siim_png.home(root)
    if siim_png.is_repack(root):
        return _read_repack(root, split, shares, missing)
    place = find_table(root, "train-rle.csv", "stage_2_train.csv")
    table = apply_rule(split, RULES, read_runs(place), "siim_acr", root=root, shares=shares)
    folders = _find_images(root)
    table["study_id"] = [folders.get(i, "*/*").partition("/")[0] for i in table["image_id"]]
    table["image"] = [f"{IMAGES}/{folders.get(i, '*/*')}/{i}.dcm" for i in table["image_id"]]
    of_image = zip(table["mask"], table["image_id"], strict=True)
    named = [RleMask(mask.runs, f"{place.name}, image {image}") for mask, image in of_image]
    table["mask"] = pd.Series(named, dtype=object)
    table, absent = require_images(table, root, missing=missing, where=place)
    return Manifest(
        "siim_acr", root, table.drop(columns="image_id"), labels=(LABEL,), split_rule=split, notes=absent
    )


def _read_repack(root: Path, split: str, shares: Sequence[float], missing: str) -> Manifest:
    """Read the PNG re-pack; its splits equal the original's if the run-length file is next to it."""
    images = siim_png.read_repack(root, LABEL)
    table = images
    known = images.set_index("image_id")
    if any(root.glob("train-rle.csv*")):
        table = read_runs(find_table(root, "train-rle.csv"))
        table = table[table["image_id"].isin(known.index)].reset_index(drop=True)
    table = apply_rule(split, RULES, table, "siim_acr", root=root, shares=shares)
    if "image" not in table:
        table["image"] = known.loc[table["image_id"], "image"].to_numpy()
    table, absent = require_images(table, root, missing=missing, where=root)
    table = table.drop(columns=["image_id", "name"], errors="ignore")
    note = "layout found: PNG re-pack"
    return Manifest("siim_acr", root, table, labels=(LABEL,), split_rule=split, notes=(note, *absent))


def read_runs(place: Path) -> pd.DataFrame:
    """Read the run-length file in its own order, one row per region: image_id and run ("" for negatives).

    Raises:
        BenchError: a column is missing, or a run-length mask is malformed; the message names its line.
    """
    raw = read_table(place, ("ImageId", "EncodedPixels"), text=("ImageId", "EncodedPixels"))
    run = raw["EncodedPixels"].fillna(NEGATIVE).str.strip()
    run = run.where(run != NEGATIVE, "")
    for row, text in enumerate(run):
        if text:
            run_bounds(text, None, f"{place}, line {row + 2}")
    return pd.DataFrame({"image_id": raw["ImageId"].str.strip(), "run": run})


def _present(values: pd.Series) -> Any:
    return tuple(r for r in values if r)


def by_image(runs: pd.DataFrame) -> pd.DataFrame:
    """Unite the regions of each image, in order of first occurrence; a table by image does not change."""
    if "run" not in runs:
        return runs
    regions: pd.Series = runs.groupby("image_id", sort=False)["run"].agg(_present)
    return pd.DataFrame(
        {
            "id": regions.index,
            "patient_id": regions.index,
            "image_id": regions.index,
            LABEL: np.array([float(bool(r)) for r in regions], np.float32),
            "mask": pd.Series([RleMask(r) for r in regions], dtype=object),
        }
    )


def _find_images(root: Path) -> dict[str, str]:
    """Find the folder ``<study>/<series>`` of each image, by its id."""
    return {p.stem: f"{p.parent.parent.name}/{p.parent.name}" for p in (root / IMAGES).glob("*/*/*.dcm")}


# --- split rules --------------------------------------------------------------------------------------


def image_split(runs: pd.DataFrame, *, shares: Sequence[float] = SHARES) -> pd.DataFrame:
    """70/15/15 by image, with equal shares of pneumothorax in all splits; seed 0."""
    return by_group(by_image(runs), shares_of_splits(shares), stratify=[LABEL])


def mgca_split(runs: pd.DataFrame) -> pd.DataFrame:
    """GLoRIA's and MGCA's split: 70/15/15 of the file's rows, 9,067/1,944/1,943, random state 0.

    Defect reproduced: an image with several regions can fall into several splits, with an incomplete mask in
    each (154 images are in train and test). Its other occurrences have the id ``...#<split>``.
    """
    from sklearn.model_selection import train_test_split

    if "run" not in runs:
        raise BenchError(
            "split rule 'mgca' splits the lines of train-rle.csv, which the PNG re-pack does not have",
            where="siim_acr",
            fix="put train-rle.csv next to stage_1_train_images.csv, or use split='default'",
        )
    train, rest = train_test_split(runs, test_size=0.3, random_state=0)
    test, valid = train_test_split(rest, test_size=0.5, random_state=0)
    return concatenated({"train": by_image(train), "valid": by_image(valid), "test": by_image(test)})


def lovt_lists(runs: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """LoVT's lists, copied to lovt/ next to the run-length file: 7,229/2,409/2,409 images."""
    return by_lists(by_image(runs), root, LOVT_LISTS)


def benchx_lists(runs: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """BenchX's lists, copied to benchx/ next to the tables (PNG re-pack only): 9,303/1,372/1,372."""
    if "name" not in runs:
        raise BenchError(
            "split rule 'benchx' uses the file names of the PNG re-pack",
            where="siim_acr",
            fix="use the PNG re-pack, without train-rle.csv next to it, or split='default'",
        )
    table = by_lists(runs.assign(id=runs["name"]), root, BENCHX_LISTS)
    return table.assign(id=table["image_id"])


def prior_folds(runs: pd.DataFrame, *, draw: int = 0) -> pd.DataFrame:
    """PRIOR's cross-validation: the 2,669 positive images in five folds; the seed names the tested one.

    The next fold validates. The folds are ours: PRIOR's lists were not released.
    """
    return prior.positive_folds(by_image(runs), LABEL, draw)


def prior_classification_split(runs: pd.DataFrame, *, draw: int = 0) -> pd.DataFrame:
    """PRIOR's 6:2:2 for classification, drawn anew by each seed; the draws are ours."""
    return prior.shares_by_seed(by_image(runs), draw, stratify=[LABEL])


RULES: dict[str, Rule] = {
    "default": image_split,
    "mgca": mgca_split,
    "lovt": lovt_lists,
    "benchx": benchx_lists,
    "prior": prior_folds,
    "prior_classification": prior_classification_split,
}
"""Split rules by name."""

CARD = Card(
    title="SIIM-ACR Pneumothorax Segmentation",
    what="Frontal radiographs from NIH ChestX-ray14 with pixel masks of pneumothoraces, run-length encoded; "
    "2,669 images are positive, with 3,576 regions.",
    size="12,047 images (1024 x 1024 DICOM)",
    source="academictorrents.com, 6ef7c6d039e85152c4d0f31d83fa70edc4aba088 (stage 1), or as PNG "
    "https://www.kaggle.com/datasets/vbookshelf/pneumothorax-chest-xray-images-and-masks; the competition "
    "was https://www.kaggle.com/c/siim-acr-pneumothorax-segmentation",
    gone=(
        "the competition's own download, which fetched stage 1 from Google Cloud (github.com/HKU-MedAI/MGCA "
        "issue 27, RL4M/MRM-pytorch issue 12)",
        "kaggle.com/seesee/siim-train-test (see--/pneumothorax-segmentation issue 4)",
    ),
    access="Kaggle account and competition rules",
    tree="""
train-rle.csv   (or stage_2_train.csv)
dicom-images-train/<study>/<series>/<ImageId>.dcm
lovt/train.csv, validation.csv, test.csv     (LoVT's lists; only for the rule lovt)

PNG re-pack (also in siim-acr-pneumothorax/): stage_1_train_images.csv, stage_1_test_images.csv,
                  png_images/<new_filename>, png_masks/<new_filename>; train-rle.csv only for the rule mgca
benchx/train.txt, val.txt, test.txt          (BenchX's lists; only for the rule benchx)
""",
    splits=describe(RULES),
    options={
        "shares": "of the images that train, validate and test by the rule default; 0.7, 0.15, 0.15",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "An all-empty prediction has a Dice of about 0.75 if empty images count as 1 (GLoRIA, MGCA).",
        "Regions of one image are separate rows of the file: splitting by row leaks (rule mgca).",
    ),
    annotations=("labels", "masks"),
    published={
        "mgca": {"images": (8578, 1910, 1903), "positive: Pneumothorax": (2002, 535, 476)},
        "lovt": {"images": (7229, 2409, 2409), "positive: Pneumothorax": (1584, 570, 515)},
        "default": {"images": (8433, 1807, 1807)},
        "benchx": {"images": (9303, 1372, 1372)},
        "prior": {"images": (1601, 534, 534), "positive: Pneumothorax": (1601, 534, 534)},
        "prior_classification": {"images": (7228, 2410, 2409)},
    },
    watched=(*WATCHED, "lovt/*.csv", "benchx/*.txt", "siim-acr-pneumothorax/*.csv*"),
)
