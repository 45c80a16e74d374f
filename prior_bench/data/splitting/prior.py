"""PRIOR's splits, as its first author states them (github.com/QtacierP/PRIOR, issue 12).

Segmentation of SIIM-ACR and detection on RSNA take the positive images alone, in five-fold cross-validation;
classification is split 6:2:2, with five seeds. The lists were not released, so that all folds and draws are
ours. It is not stated which images validate in a cross-validation; here it is the fold after the tested one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prior_bench.data.splitting.rules import by_group, stratified_order
from prior_bench.data.splitting.seeded import DRAWS as FOLDS
from prior_bench.errors import BenchError

SHARES = {"train": 0.6, "valid": 0.2, "test": 0.2}


def positive_folds(table: pd.DataFrame, label: str, draw: int) -> pd.DataFrame:
    """Return the positive images; fold ``draw`` tests, the next one validates, the other three train.

    The folds are the same for every ``draw``. Their sizes differ by one image at most.

    Args:
        table: one row per image, with ``patient_id``.
        label: column that is 1 for the positive images.
        draw: number of the fold, below :data:`FOLDS`.

    Raises:
        BenchError: there is no such fold, or there are fewer patients than folds.
    """
    if draw >= FOLDS:
        raise BenchError(
            f"there is no fold {draw}: the {FOLDS} folds are numbered from 0",
            where="split rule 'prior'",
            fix=f"use the seeds {list(range(FOLDS))}, one for each fold",
        )
    positive = table[table[label] == 1]
    order = stratified_order(positive)
    if len(order) < FOLDS:
        raise BenchError(
            f"{len(order)} positive image(s) cannot make {FOLDS} folds",
            where="split rule 'prior'",
            fix="it was made for the whole data set; use split='default'",
        )
    fold_of = dict(zip(order, np.arange(len(order)) % FOLDS, strict=True))
    fold = (positive["patient_id"].map(fold_of) - draw) % FOLDS
    return positive.assign(split=fold.map({0: "test", 1: "valid"}).fillna("train"))


def shares_by_seed(table: pd.DataFrame, draw: int, *, stratify: Sequence[str] = ()) -> pd.DataFrame:
    """Split 6:2:2 by patient, anew for each ``draw``.

    Args:
        table: one row per image, with ``patient_id``.
        draw: seed of the split.
        stratify: label columns that have about the same share of positives in all splits.
    """
    return by_group(table, SHARES, stratify=stratify, seed=draw)
