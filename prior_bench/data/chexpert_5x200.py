"""CheXpert 5x200: a zero-shot test set of 200 images for each of five findings, drawn from ``train.csv``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from prior_bench.data.cards import Card
from prior_bench.data.chexpert import home, read_labels
from prior_bench.data.chexpert_labels import FIVE, FOURTEEN
from prior_bench.data.chexpert_pools import draw
from prior_bench.data.files import require_images
from prior_bench.data.manifest import Manifest
from prior_bench.data.splits import apply_rule, describe


def read(
    root: Path, *, split: str = "default", per_class: int = 200, seed: int = 0, missing: str = "error"
) -> Manifest:
    """One row per image, all in the split ``test``, exactly one label each.

    Args:
        root: folder of CheXpert.
        split: the rule by which images qualify, a name in :data:`RULES`.
        per_class: images per finding.
        seed: of the draw; MGCA's released set has 0.
        missing: ``"error"`` or ``"skip"`` absent images.

    Raises:
        BenchError: files missing or not as they should be, or pools too small.
    """
    root = home(root)
    table = read_labels(root, "train")
    rules = {name: partial(rule, per_class=per_class, seed=seed) for name, rule in RULES.items()}
    drawn = apply_rule(split, rules, table[table["frontal"]], "chexpert_5x200")
    drawn = drawn.drop(columns=list(FOURTEEN))
    for name in FIVE:
        drawn[name] = drawn["finding"].eq(name).astype(np.float32)
    drawn = require_images(drawn, root, missing=missing, where=root)
    return Manifest("chexpert_5x200", root, drawn, labels=FIVE, exclusive=True, split_rule=split)


def exclusive_draw(table: pd.DataFrame, *, per_class: int, seed: int) -> pd.DataFrame:
    """GLoRIA's and MGCA's rule: no other finding present or uncertain; seed 0 gives MGCA's set."""
    return draw(table, "mgca", per_class, seed).assign(split="test")


def prior_draw(table: pd.DataFrame, *, per_class: int, seed: int) -> pd.DataFrame:
    """The rule behind PRIOR's shipped list: uncertain resolved first, further findings allowed."""
    return draw(table, "prior", per_class, seed).assign(split="test")


RULES = {"default": exclusive_draw, "gloria": exclusive_draw, "mgca": exclusive_draw, "prior": prior_draw}
"""Split rules by name."""

CARD = Card(
    title="CheXpert 5x200 (zero-shot test set)",
    what="200 frontal images for each of Atelectasis, Cardiomegaly, Consolidation, Edema and "
    "Pleural Effusion, positive for that one only, drawn from CheXpert's train.csv.",
    size="1,000 images",
    source="made from CheXpert (data describe chexpert)",
    access="as CheXpert",
    tree="""
train.csv
train/patient00001/study1/view1_frontal.jpg
""",
    splits=describe(RULES),
    options={
        "per_class": "images per finding; 200",
        "seed": "of the draw; 0 is MGCA's",
        "missing": "error, or skip absent images",
    },
    caveats=(
        "At least four different sets go by this name; compare numbers only under the same rule and seed.",
        "GLoRIA's own draw had no seed and was never released.",
    ),
    annotations=("labels",),
)
