"""Draw the CheXpert "5x200" sets: 200 images of each of five findings that show exactly one of them.

Several sets have this name. Each rule here uses the raw values (1, 0, -1, blank) of ``train.csv``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from prior_bench.data.readers.chexpert.labels import FIVE, resolve_labels
from prior_bench.errors import BenchError, unknown_name

EXCLUDED = (
    "Enlarged Cardiomediastinum", "Lung Lesion", "Lung Opacity", "Pneumonia", "Pneumothorax",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
"""Observations besides the other four that must be absent for GLoRIA and MGCA ("No Finding" is allowed)."""


def sole_positive(raw: pd.DataFrame) -> pd.DataFrame:
    """Select as GLoRIA and MGCA: one of FIVE is 1, all others of FIVE and EXCLUDED are 0 or blank, not -1."""
    positive = raw[list(FIVE)].eq(1)
    absent = raw[[*FIVE, *EXCLUDED]].fillna(0).eq(0)
    return positive.apply(lambda column: column & (absent.sum(axis=1) == absent.shape[1] - 1))


def sole_of_five(raw: pd.DataFrame) -> pd.DataFrame:
    """Select as PRIOR's list: resolve uncertain values (mixed policy); exactly one of FIVE is positive."""
    positive = resolve_labels(raw, FIVE, "gloria").eq(1)
    return positive.apply(lambda column: column & (positive.sum(axis=1) == 1))


POOLS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {"mgca": sole_positive, "prior": sole_of_five}
"""Selection rules: functions from the raw table to bool [rows, five]."""


GLORIA_SEED = 6
"""Seed that the import of GLoRIA's package sets (gloria/gloria.py), before its script draws."""


def draw(
    table: pd.DataFrame,
    rule: str = "mgca",
    per_class: int = 200,
    seed: int | np.random.RandomState = 0,
) -> pd.DataFrame:
    """Draw images class by class, in the order of FIVE, and add the column ``finding``.

    Rule ``mgca`` with seed 0 (``DataFrame.sample``, ``random_state=0``) on the frontal rows of the whole
    ``train.csv`` gives MGCA's released set. GLoRIA draws by the same rule, but all classes from one stream of
    random numbers with :data:`GLORIA_SEED`; it never released its set, which may be of another state of the
    code. A stream in place of a seed is used for all classes.

    Raises:
        BenchError: the rule is unknown, or a class has too few images (the message states all numbers).
    """
    if rule not in POOLS:
        raise unknown_name("5x200 rule", rule, list(POOLS))
    member = POOLS[rule](table)
    sizes = {name: int(member[name].sum()) for name in FIVE}
    if min(sizes.values()) < per_class:
        raise BenchError(
            f"cannot draw {per_class} images per class by rule '{rule}'; available images: "
            + ", ".join(f"{name} {size}" for name, size in sizes.items()),
            where="chexpert_5x200",
            fix=f"pass per_class={min(sizes.values())}" if min(sizes.values()) else "check the label columns",
        )
    drawn = [table[member[name]].sample(per_class, random_state=seed).assign(finding=name) for name in FIVE]
    return pd.concat(drawn)
