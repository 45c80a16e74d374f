"""Rows that describe the images of each split: label prevalence, views, sexes, ages and sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from prior_bench.data.checking.examine import Examined
from prior_bench.data.manifest import ABOUT, SPLITS, Manifest

MOST_VALUES = 8
"""Largest number of values of a view or sex that are counted one by one."""


def described(manifest: Manifest, facts: Sequence[Examined]) -> list[tuple[str, ...]]:
    """Return one row per quantity: its name, then its values for train, valid and test as text."""
    table = manifest.table
    parts = [(table["split"] == name).to_numpy() for name in SPLITS]
    rows = [_row(f"share positive: {name}", table[name], parts, _percent) for name in manifest.labels]
    by_name = {str(column).removeprefix(ABOUT).lower(): column for column in table.columns}
    for name in ("view", "sex"):
        if name in by_name:
            values = table[by_name[name]].dropna()
            counts = values.astype(str).value_counts().head(MOST_VALUES)
            column = table[by_name[name]].astype(str)
            rows += [_row(f"{name}: {value}", column == value, parts, _sum) for value in counts.index]
    if "age" in by_name:
        ages = pd.to_numeric(table[by_name["age"]], errors="coerce")
        if ages.notna().any():
            rows.append(_row("age: median (range)", ages, parts, _range))
    sides = np.array([fact.size for fact in facts]).reshape(-1, 2)
    if sides.any():
        for name, side in (("height", sides[:, 0]), ("width", sides[:, 1])):
            known = pd.Series(np.where(side > 0, side, np.nan), index=table.index)
            rows.append(_row(f"{name}: median (range)", known, parts, _range))
    return rows


def _row(
    name: str, values: pd.Series, parts: list[np.ndarray], text: Callable[[pd.Series], str]
) -> tuple[str, ...]:
    return (name, *(text(values[part].dropna()) for part in parts))


def _percent(values: pd.Series) -> str:
    return f"{values.mean():.1%}" if len(values) else "-"


def _sum(values: pd.Series) -> str:
    return str(int(values.sum()))


def _range(values: pd.Series) -> str:
    return f"{values.median():g} ({values.min():g} to {values.max():g})" if len(values) else "-"
