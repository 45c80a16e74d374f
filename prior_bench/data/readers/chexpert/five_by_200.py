"""Read CheXpert 5x200, a zero-shot test set with 200 images of each of five findings from ``train.csv``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers.chexpert import pools
from prior_bench.data.readers.chexpert.labels import FIVE, FOURTEEN
from prior_bench.data.readers.chexpert.layout import WATCHED, home, placed
from prior_bench.data.readers.chexpert.pools import GLORIA_SEED, draw
from prior_bench.data.readers.chexpert.reader import read_labels
from prior_bench.data.splitting.rules import Rule, apply_rule, describe
from prior_bench.data.tables.annotation_json import read_json
from prior_bench.data.tables.listed_images import require_images
from prior_bench.errors import BenchError


def read(
    root: Path, *, split: str = "default", per_class: int = 200, seed: int = 0, missing: str = "error"
) -> Manifest:
    """Read one row per image; all are in the split ``test`` and have exactly one label.

    Args:
        root: folder of CheXpert.
        split: the rule that selects the images, a name in :data:`RULES`.
        per_class: number of images per finding.
        seed: seed of the draw; 0 gives MGCA's released set. The rule ``gloria`` has a seed of its own.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: a file is missing or malformed, or too few images qualify.
    """
    root = home(root)
    table = read_labels(root, "train")
    frontal, how = table[table["frontal"]], dict(per_class=per_class, seed=seed, root=root)
    drawn = apply_rule(split, RULES, frontal, "chexpert_5x200", **how)
    drawn = drawn.drop(columns=list(FOURTEEN))
    for name in FIVE:
        drawn[name] = drawn["finding"].eq(name).astype(np.float32)
    root, drawn = placed(drawn, root)
    drawn, absent = require_images(drawn, root, missing=missing, where=root)
    return Manifest(
        "chexpert_5x200", root, drawn, labels=FIVE, exclusive=True, split_rule=split, notes=absent
    )


def exclusive_draw(table: pd.DataFrame, *, per_class: int, seed: int) -> pd.DataFrame:
    """MGCA's rule: no other finding is present or uncertain; seed 0 gives MGCA's set."""
    return draw(table, "mgca", per_class, seed).assign(split="test")


def gloria_draw(table: pd.DataFrame, *, per_class: int) -> pd.DataFrame:
    """GLoRIA's released code: MGCA's rule, with all classes drawn from one random stream of seed 6."""
    return draw(table, "mgca", per_class, np.random.RandomState(GLORIA_SEED)).assign(split="test")


def prior_draw(table: pd.DataFrame, *, per_class: int, seed: int) -> pd.DataFrame:
    """The rule of PRIOR's shipped list: uncertain labels are resolved first; other findings are allowed."""
    return draw(table, "prior", per_class, seed).assign(split="test")


def prior_draws(table: pd.DataFrame, *, per_class: int, draw: int = 0) -> pd.DataFrame:
    """PRIOR's five samplings: the rule of its list, drawn anew by each seed with 114514 to 114518.

    The author states these seeds (github.com/QtacierP/PRIOR, issue 10); that they draw by the rule of the
    list, class by class, is our reading. Seeds above 4 go on from 114518.
    """
    return pools.draw(table, "prior", per_class, PRIOR_SEED + draw).assign(split="test")


def prior_list(table: pd.DataFrame, *, root: Path) -> pd.DataFrame:
    """PRIOR's shipped list itself, chexpert_5x200.json next to train.csv; nothing is drawn.

    The file maps a row of train.csv to {image_path, label}. The label has five numbers in the order of FIVE;
    the first maximum is the finding.

    Raises:
        BenchError: the list is missing or malformed, or names an image that is not in train.csv.
    """
    place = root / PRIOR_LIST
    if not place.is_file() and not place.is_symlink():
        raise BenchError(
            f"{PRIOR_LIST} is missing",
            where=root,
            fix="copy it from datasets/zero_shot_classification of PRIOR's repository, or use split='prior', "
            "which draws by the same rule",
        )
    entries = list(read_json(place, dict).values())
    try:
        images = [entry["image_path"] for entry in entries]
        findings = [FIVE[int(np.argmax(entry["label"]))] for entry in entries]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise BenchError(
            f"not of the form {{row: {{image_path, label}}}} ({error!r})",
            where=place,
            fix="download it again",
        ) from error
    rows = table.set_index("image", drop=False)
    unknown = [image for image in images if image not in rows.index]
    if unknown:
        raise BenchError(
            f"{len(unknown)} of {len(images)} images are not in train.csv; the first is {unknown[0]}",
            where=place,
            fix="download both files again",
        )
    listed = rows.loc[images].reset_index(drop=True)
    return listed.assign(finding=findings, split="test")


PRIOR_SEED = 114_514
"""The first of the five seeds of PRIOR's samplings."""
PRIOR_LIST = "chexpert_5x200.json"
RULES: dict[str, Rule] = {
    "default": exclusive_draw,
    "gloria": gloria_draw,
    "mgca": exclusive_draw,
    "prior": prior_draw,
    "prior_list": prior_list,
    "prior_draws": prior_draws,
}
"""Split rules by name."""

CARD = Card(
    title="CheXpert 5x200 (zero-shot test set)",
    what="200 frontal images for each of Atelectasis, Cardiomegaly, Consolidation, Edema and "
    "Pleural Effusion, positive for only this one, drawn from CheXpert's train.csv.",
    size="1,000 images",
    source="made from CheXpert (data describe chexpert)",
    gone=("GLoRIA's own list and reports were never released (github.com/marshuang80/gloria issue 16)",),
    access="as CheXpert",
    tree="""
train.csv
train/patient00001/study1/view1_frontal.jpg
chexpert_5x200.json                          (PRIOR's list; only for prior_list)
""",
    splits=describe(RULES),
    options={
        "per_class": "images per finding; default: 200",
        "seed": "seed of the draw; 0 gives MGCA's set; not used by gloria and prior_draws",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "At least four different sets have this name; compare results only under the same rule and seed.",
        "GLoRIA's own list was never released; the rule gloria draws as its released code does.",
        "PRIOR's list shares 32 images with MGCA's draw; 947 of its 1,000 are in MGCA's training split.",
        "BenchX's set is drawn from MIMIC-CXR: mimic_5x200.",
    ),
    watched=WATCHED,
    annotations=("labels",),
    published={
        rule: {"images": (0, 0, 1000), **{f"positive: {name}": (0, 0, 200) for name in FIVE}}
        for rule in RULES
    },
    patients="chexpert",
)
