"""Split rules: functions from a reader's table to the same table with the column ``split``.

A rule may drop rows, order them (the order in which a paper samples label fractions), or, where a paper
puts one image into two splits, repeat them. Every random choice has a fixed seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from prior_bench.errors import BenchError, unknown_name

Rule = Callable[[pd.DataFrame], pd.DataFrame]


def apply_rule(name: str, rules: Mapping[str, Rule], table: pd.DataFrame, data_set: str) -> pd.DataFrame:
    """The table as split by the rule ``name``.

    Raises:
        BenchError: the data set has no such rule (with the nearest names), or too few rows for it.
    """
    if name not in rules:
        raise unknown_name("split rule", name, list(rules), where=data_set)
    try:
        return rules[name](table).reset_index(drop=True)
    except ValueError as error:  # scikit-learn and NumPy on a table smaller than the rule's counts
        raise BenchError(
            f"split rule '{name}' cannot be applied to {len(table)} rows ({error})",
            where=data_set,
            fix="it was made for the whole data set; use split='default'",
        ) from error


def describe(rules: Mapping[str, Rule]) -> dict[str, str]:
    """What each rule does: the first sentence of its docstring."""
    return {name: " ".join((rule.__doc__ or "").split("\n\n")[0].split()) for name, rule in rules.items()}


def by_group(
    table: pd.DataFrame,
    shares: Mapping[str, float],
    *,
    group: str = "patient_id",
    stratify: Sequence[str] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """Whole groups (patients) into splits, each with about the same mix of labels.

    Args:
        table: one row per image.
        shares: split name to its share of the groups; they sum to 1.
        group: column whose values must not be torn apart.
        stratify: label columns; groups with the same combination are spread evenly over the splits.
        seed: of the order of groups.
    """
    order = stratified_order(table, group=group, stratify=stratify, seed=seed)
    bounds = np.rint(np.cumsum(list(shares.values())) * len(order)).astype(int)
    place = np.searchsorted(bounds, np.arange(len(order)), side="right")
    names = np.array(list(shares), dtype=object)
    split_of = dict(zip(order, names[np.minimum(place, len(names) - 1)], strict=True))
    return table.assign(split=table[group].map(split_of))


def stratified_order(
    table: pd.DataFrame, *, group: str = "patient_id", stratify: Sequence[str] = (), seed: int = 0
) -> np.ndarray:
    """Groups in a seeded random order of which every prefix has about the whole's mix of labels.

    The members of each stratum (groups with the same labels) are shuffled and laid out at even distances
    with a random offset; prefixes are therefore nested samples, and stratified to within one group.
    """
    rng = np.random.default_rng(seed)
    if stratify:
        values = table[list(stratify)].astype(float).fillna(-1)
        bounds = values.groupby(table[group], sort=True).agg(["min", "max"])
        groups, strata = bounds.index.to_numpy(), bounds.to_numpy()
        _, stratum = np.unique(strata, axis=0, return_inverse=True)
    else:
        groups = np.sort(table[group].unique())
        stratum = np.zeros(len(groups), int)
    shuffled = rng.permutation(len(groups))
    rank = np.empty(len(groups))
    sizes = np.bincount(stratum)
    seen = np.zeros(len(sizes), int)
    for position in shuffled:
        rank[position] = seen[stratum[position]]
        seen[stratum[position]] += 1
    place = (rank + rng.random(len(sizes))[stratum]) / sizes[stratum]
    tie = np.empty(len(groups))
    tie[shuffled] = np.arange(len(groups))
    return groups[np.lexsort((tie, place))]


def concatenated(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Splits given as tables, one after the other, each in its own order.

    An id that a rule has put into several splits gets ``#<split>`` appended from the second time on, so that
    ids stay unique while ``image`` and ``patient_id`` still show the leak.
    """
    table = pd.concat([part.assign(split=name) for name, part in parts.items()], ignore_index=True)
    again = table["id"].duplicated()
    table.loc[again, "id"] = table["id"][again] + "#" + table["split"][again]
    return table
