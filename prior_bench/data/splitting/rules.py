"""Split rules: functions that add the column ``split`` to a reader's table.

A rule may also drop rows, order them (as a paper does before it samples label fractions), or repeat them (if
a paper puts an image into two splits). Every random choice has a fixed seed.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.splitting.seeded import rule_and_draw
from prior_bench.data.tables.annotation_tables import read_table
from prior_bench.data.tables.text_file import read_lines
from prior_bench.errors import BenchError, unknown_name

Rule = Callable[..., pd.DataFrame]

LOVT_LISTS = {"train": "lovt/train.csv", "valid": "lovt/validation.csv", "test": "lovt/test.csv"}
"""LoVT's lists (github.com/philip-mueller/lovt, folder datasets), copied into a data set's folder."""
BENCHX_LISTS = {"train": "benchx/train.txt", "valid": "benchx/val.txt", "test": "benchx/test.txt"}
"""BenchX's lists (github.com/yangzhou12/BenchX, folder preprocess/datasets), copied in the same way."""
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".dcm", ".dicom")


def apply_rule(
    name: str, rules: Mapping[str, Rule], table: pd.DataFrame, data_set: object, **context: Any
) -> pd.DataFrame:
    """Apply the split rule ``name`` to a table.

    Args:
        name: name of the rule, with the number of the fold or draw for a rule that has several
            (:mod:`prior_bench.data.splitting.seeded`).
        rules: all rules of the data set.
        table: the table to split.
        data_set: name or file of the data set, for messages.
        context: further values that some rules need (``root``); a rule receives those that it has a parameter
            for.

    Raises:
        BenchError: the data set has no such rule (the message suggests names) or too few rows for it, or a
            number is given for a rule that has one split alone.
    """
    name, draw = rule_and_draw(name)
    if name not in rules:
        raise unknown_name("split rule", name, list(rules), where=data_set)
    if draw is not None and "draw" not in inspect.signature(rules[name]).parameters:
        raise BenchError(
            f"split rule '{name}' makes one split, and none for seed {draw}",
            where=data_set,
            fix="leave out split.by_seed and the number after the rule's name",
        )
    context["draw"] = draw or 0
    try:
        return rules[name](table, **_wanted(rules[name], context)).reset_index(drop=True)
    except ValueError as error:  # scikit-learn and NumPy on a table smaller than the rule's counts
        raise BenchError(
            f"split rule '{name}' cannot be applied to {len(table)} rows ({error})",
            where=data_set,
            fix="it was made for the whole data set; use split='default'",
        ) from error


def _wanted(rule: Rule, context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: context[name] for name in inspect.signature(rule).parameters if name in context}


COUNTS = ("fixed", "shares")
"""Meanings of a paper's fixed counts: a number of images, or their share of the published data set."""


def count_of(published: int, of: int, rows: int, counts: str) -> int:
    """Return a paper's fixed count for a table of ``rows`` rows; at least 1.

    Args:
        published: the count, e.g. 5,000 images to validate on.
        of: number of rows in the published data set.
        rows: number of rows in the table.
        counts: one of :data:`COUNTS`; ``"shares"`` is for the sample benchmark, which has fewer rows.

    Raises:
        BenchError: ``counts`` is unknown.
    """
    if counts not in COUNTS:
        raise unknown_name("meaning of fixed counts", str(counts), list(COUNTS), where="counts")
    return published if counts == "fixed" else max(1, round(published / of * rows))


SHARES = (0.7, 0.15, 0.15)
"""Of the images that train, validate and test where a data set has no official split (rule ``default``)."""


def shares_of_splits(shares: Sequence[float]) -> dict[str, float]:
    """Shares of train, valid and test, by split.

    Raises:
        BenchError: they are not three positive numbers whose sum is 1.
    """
    try:
        train, valid, test = (float(share) for share in shares)
    except (TypeError, ValueError):
        train = valid = test = math.nan
    if not (min(train, valid, test) > 0 and math.isclose(train + valid + test, 1, abs_tol=1e-6)):
        raise BenchError(
            f"{shares!r} are not the shares of train, valid and test",
            where="shares",
            fix=f"give three positive numbers whose sum is 1, e.g. {list(SHARES)}",
        )
    return {"train": train, "valid": valid, "test": test}


def describe(rules: Mapping[str, Rule]) -> dict[str, str]:
    """Describe each rule by the first paragraph of its docstring."""
    return {name: " ".join((rule.__doc__ or "").split("\n\n")[0].split()) for name, rule in rules.items()}


def by_group(
    table: pd.DataFrame,
    shares: Mapping[str, float],
    *,
    group: str = "patient_id",
    stratify: Sequence[str] = (),
    seed: int = 0,
) -> pd.DataFrame:
    """Assign whole groups (patients) to splits, each with about the same mix of labels.

    Args:
        table: one row per image.
        shares: share of the groups for each split; they sum to 1.
        group: column that defines the groups.
        stratify: label columns; groups with the same combination are spread evenly over the splits.
        seed: seed of the random order of groups.
    """
    order = stratified_order(table, group=group, stratify=stratify, seed=seed)
    bounds = np.rint(np.cumsum(list(shares.values())) * len(order)).astype(int)
    place = np.searchsorted(bounds, np.arange(len(order)), side="right")
    names = np.array(list(shares), dtype=object)
    split_of = dict(zip(order, names[np.minimum(place, len(names) - 1)], strict=True))
    return table.assign(split=table[group].map(split_of))


def with_test(
    train: pd.DataFrame, test: pd.DataFrame, valid: float, *, stratify: Sequence[str] = ()
) -> pd.DataFrame:
    """Combine a given test set with a split of the other patients; a share ``valid`` of them validates."""
    rest = by_group(train, {"train": 1 - valid, "valid": valid}, stratify=stratify)
    return pd.concat([rest, test.assign(split="test")])


def stratified_order(
    table: pd.DataFrame, *, group: str = "patient_id", stratify: Sequence[str] = (), seed: int = 0
) -> np.ndarray:
    """Return the groups in a seeded random order in which every prefix has about the overall mix of labels.

    The members of each stratum (groups with the same labels) are shuffled and placed at even distances with a
    random offset. Prefixes are therefore nested samples, stratified to within one group.
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


def by_lists(table: pd.DataFrame, root: Path, lists: Mapping[str, str]) -> pd.DataFrame:
    """Split by published lists, in the order of each list; images in no list are left out.

    Args:
        table: one row per image.
        root: folder of the data set.
        lists: file of each split, relative to ``root``; see :func:`listed_ids`.

    Raises:
        BenchError: a list is missing or names an image that is not in the table.
    """
    position = {bare_name(name): row for row, name in enumerate(table["id"])}
    parts = {}
    for split, file in lists.items():
        names = [bare_name(name) for name in listed_ids(root / file)]
        unknown = [name for name in names if name not in position]
        if unknown:
            raise BenchError(
                f"{len(unknown)} of {len(names)} images are not in the data set; the first is {unknown[0]}",
                where=root / file,
                fix="use the lists made for this data set, and its complete label file",
            )
        parts[split] = table.iloc[[position[name] for name in names]]
    return concatenated(parts)


def listed_ids(place: Path) -> list[str]:
    """Read the image names of a list: the column ``ID`` of a .csv file, or the lines of any other file.

    Raises:
        BenchError: the list does not exist.
    """
    if not place.is_file() and not place.is_symlink():
        raise BenchError(
            "this list is missing",
            where=place,
            fix="copy the lists from the repository they are named after into that folder, "
            "or use a split rule that needs none",
        )
    if place.suffix == ".csv":
        return list(read_table(place, ("ID",), text=("ID",))["ID"])
    return [line.strip() for line in read_lines(place) if line.strip()]


def bare_name(name: str) -> str:
    """Return an image's name without its folder and image suffix."""
    name = str(name).rpartition("/")[2]
    suffix = next((s for s in IMAGE_SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def concatenated(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the tables of the splits, each in its own order.

    If a rule puts an id into several splits, ``#<split>`` is appended to every occurrence but the first. Ids
    stay unique, and ``image`` and ``patient_id`` still show the leak.
    """
    table = pd.concat([part.assign(split=name) for name, part in parts.items()], ignore_index=True)
    again = table["id"].duplicated()
    table.loc[again, "id"] = table["id"][again] + "#" + table["split"][again]
    return table
