"""The CheXpert "5x200" draws: images that show exactly one of five findings, 200 of each.

Several sets go by that name; each rule here works on the raw values (1, 0, -1, blank) of ``train.csv``.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from prior_bench.data.readers.chexpert.labels import FIVE, resolve_labels
from prior_bench.errors import BenchError, unknown_name

EXCLUDED = (
    "Enlarged Cardiomediastinum", "Lung Lesion", "Lung Opacity", "Pneumonia", "Pneumothorax",
    "Pleural Other", "Fracture", "Support Devices",
)  # fmt: skip
"""Observations that GLoRIA and MGCA require to be absent besides the other four ("No Finding" is not)."""


def sole_positive(raw: pd.DataFrame) -> pd.DataFrame:
    """GLoRIA and MGCA: raw value 1, everything else in the five and in EXCLUDED 0 or blank, never -1."""
    positive = raw[list(FIVE)].eq(1)
    absent = raw[[*FIVE, *EXCLUDED]].fillna(0).eq(0)
    return positive.apply(lambda column: column & (absent.sum(axis=1) == absent.shape[1] - 1))


def sole_of_five(raw: pd.DataFrame) -> pd.DataFrame:
    """PRIOR's shipped list: uncertain values resolved first (mixed policy), exclusive among the five only."""
    positive = resolve_labels(raw, FIVE, "gloria").eq(1)
    return positive.apply(lambda column: column & (positive.sum(axis=1) == 1))


POOLS: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {"mgca": sole_positive, "prior": sole_of_five}
"""Membership rules: raw table to bool [rows, five]."""


def draw(table: pd.DataFrame, rule: str = "mgca", per_class: int = 200, seed: int = 0) -> pd.DataFrame:
    """The draw, class by class in the order of FIVE; adds the column ``finding``.

    MGCA's released set is rule ``mgca``, seed 0 (``DataFrame.sample``, ``random_state=0``), on the frontal
    rows of the whole ``train.csv``; GLoRIA drew by the same rule without a seed, and never released it.

    Raises:
        BenchError: unknown rule, or a pool too small (names the size of each).
    """
    if rule not in POOLS:
        raise unknown_name("5x200 rule", rule, list(POOLS))
    member = POOLS[rule](table)
    sizes = {name: int(member[name].sum()) for name in FIVE}
    if min(sizes.values()) < per_class:
        raise BenchError(
            f"cannot draw {per_class} images per class by rule '{rule}'; pool sizes: "
            + ", ".join(f"{name} {size}" for name, size in sizes.items()),
            where="chexpert_5x200",
            fix=f"pass per_class={min(sizes.values())}" if min(sizes.values()) else "check the label columns",
        )
    drawn = [table[member[name]].sample(per_class, random_state=seed).assign(finding=name) for name in FIVE]
    return pd.concat(drawn)
