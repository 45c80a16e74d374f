"""Choose the label columns of a user's table, and say of every column how it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from prior_bench.data.readers.csv.column_kinds import MOST_CLASSES, ColumnKind, kind_of, label_value
from prior_bench.data.readers.csv.own_table import BLANK_WORDS, RESERVED, OwnTable
from prior_bench.data.tables.annotation_tables import require_columns
from prior_bench.errors import BenchError, ErrorList, unknown_name

UNCERTAIN = {"ones": 1.0, "zeros": 0.0, "ignore": np.nan}
"""Value that replaces -1, by the option ``uncertain``; with ``error``, -1 is refused."""
LONGEST = 60
"""Largest number of characters of a value in a message."""
ALLOWED = "allowed are 1, 0 and blank"


@dataclass
class LabelColumns:
    """The labels of a table.

    Attributes:
        values: float32 columns by name: 1, 0, or NaN for unknown.
        exclusive: whether each image has exactly one of them.
        used: how each column of the table is used, in words, by its name.
        notes: remarks on columns that look like labels, but are none.
        sources: columns that the labels were made of.
    """

    values: dict[str, pd.Series] = field(default_factory=dict)
    exclusive: bool = False
    used: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)


def label_columns(
    table: OwnTable,
    *,
    labels: str | Sequence[str] | None = None,
    label: str | None = None,
    positive: str | None = None,
    uncertain: str = "error",
    exclusive: bool | None = None,
) -> LabelColumns:
    """Return the labels of a table.

    By default, every column that the rule of :mod:`prior_bench.data.readers.csv.column_kinds` calls a label
    is one. A label with a slip is refused rather than left out.

    Args:
        table: the table.
        labels: columns of 1, 0 and blank; one column of names is taken as ``label``.
        label: one column of names: two values give one label, more give one exclusive label per value.
        positive: the one of two values that becomes 1 (by default the alphabetically last).
        uncertain: meaning of -1: ``ones``, ``zeros``, ``ignore`` (unknown), or ``error``.
        exclusive: whether each image has exactly one label; by default only with ``label`` and more than two
            values. True also makes classes of numbers.

    Raises:
        BenchError: a column is missing, a value is not allowed, or an image has not exactly one label.
    """
    if uncertain not in (*UNCERTAIN, "error"):
        raise unknown_name("meaning of uncertain", str(uncertain), [*UNCERTAIN, "error"])
    others = [str(name) for name in table.fields if name not in RESERVED]
    given = label if label is not None else labels
    wanted = None if given is None else [given] if isinstance(given, str) else list(given)
    require_columns(table.fields, wanted or (), table.source.place)
    allow = (0.0, 1.0) if uncertain == "error" else (0.0, 1.0, -1.0)
    kinds = {name: kind_of(table.fields[name], allow=allow) for name in {*others, *(wanted or ())}}
    found = LabelColumns(used={str(name): "used" for name in table.fields if name in RESERVED})
    chosen = _by_rule(kinds, others) if wanted is None else wanted
    if len(chosen) == 1 and wanted is not None and _are_classes(kinds[chosen[0]], exclusive, label):
        _one_vs_rest(table, chosen[0], kinds[chosen[0]], positive, exclusive, found)
    else:
        _binary_labels(table, chosen, kinds, uncertain, found)
        if exclusive:
            _require_one_each(table, found)
    _describe_others(others, kinds, found, wanted is None)
    return found


def _by_rule(kinds: dict[str, ColumnKind], others: Sequence[str]) -> list[str]:
    return [name for name in others if kinds[name].kind in ("binary", "uncertain", "almost")]


def _are_classes(kind: ColumnKind, exclusive: bool | None, label: str | None) -> bool:
    """Whether a single chosen column holds classes: names or numbers, but no label with a slip."""
    if exclusive and label is not None:
        return True
    return kind.kind in ("names", "numbers", "text", "empty")


def _binary_labels(
    table: OwnTable, chosen: Sequence[str], kinds: dict[str, ColumnKind], uncertain: str, found: LabelColumns
) -> None:
    refused = [name for name in chosen if kinds[name].wrong or kinds[name].kind == "empty"]
    if refused:
        clean = [name for name in chosen if name not in refused]
        errors = [_refusal(table, name, kinds[name], clean) for name in refused]
        if len(errors) == 1:
            raise errors[0]
        raise ErrorList("labels with values that are not allowed", errors, where=table.source.place)
    for name in chosen:
        values = table.fields[name].map({value: label_value(value) for value in kinds[name].values})
        values = values.astype(np.float32)
        doubtful = int((values == -1).sum())
        found.values[name] = values.mask(values == -1, UNCERTAIN.get(uncertain, np.nan))
        found.sources.add(name)
        ones, zeros, blank = int((values == 1).sum()), int((values == 0).sum()), int(values.isna().sum())
        said = f"label: 1 in {ones}, 0 in {zeros}, blank in {blank} rows"
        if doubtful:
            meaning = {"ones": "taken as 1", "zeros": "taken as 0", "ignore": "taken as unknown"}[uncertain]
            said += f"; -1 in {doubtful}, {meaning} (uncertain={uncertain})"
            found.notes.append(f"label '{name}': -1 in {doubtful} rows, {meaning} (uncertain={uncertain})")
        found.used[name] = said


def _refusal(table: OwnTable, name: str, kind: ColumnKind, clean: Sequence[str]) -> BenchError:
    if kind.row is None:
        return BenchError(
            f"label '{name}' has no values", where=table.source.place, fix="choose other labels"
        )
    value = table.fields[name].iloc[kind.row]
    shown = value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    lines = f" ({kind.wrong} lines in all)" if kind.wrong > 1 else ""
    fixes = []
    if label_value(value) == -1:
        fixes.append("say what -1 means: uncertain=ones, zeros or ignore (unknown)")
    elif value.lower() in BLANK_WORDS:
        fixes.append(f"blank={value} makes it blank; only an empty field is")
    elif kind.kind == "soft":
        fixes.append("decide at a threshold, and write 1 or 0")
    elif kind.kind == "almost":
        fixes.append("correct it, or leave the field empty if it is unknown")
    else:
        fixes.append(f"use a column of names alone: label='{name}'")
    if clean:
        fixes.append(f"or choose the labels: labels=[{','.join(clean)}]")
    else:
        fixes.append(f"label={name} with exclusive=True takes its values as classes; labels=[] uses none")
    return BenchError(
        f"label '{name}' is '{shown}'{lines}; {ALLOWED}", where=table.where(kind.row), fix="; ".join(fixes)
    )


def _one_vs_rest(
    table: OwnTable,
    name: str,
    kind: ColumnKind,
    positive: str | None,
    exclusive: bool | None,
    found: LabelColumns,
) -> None:
    """Make one label of two values, or one label per value of more."""
    place, column = table.source.place, table.typed(name)
    column = column.astype(str).str.strip().where(column.notna())
    values = sorted(column.dropna().unique())
    if not 2 <= len(values) <= MOST_CLASSES:
        raise BenchError(
            f"label '{name}' has {len(values)} different values; 2 to {MOST_CLASSES} are allowed",
            where=place,
            fix="choose a column of classes",
        )
    if positive is not None and positive not in values:
        raise unknown_name(f"value of '{name}'", positive, values, where=place)
    several = len(values) > 2 or bool(exclusive)
    for value in values if several else [positive or values[-1]]:
        found.values[f"{name}={value}"] = (
            column.eq(value).astype(float).where(column.notna()).astype(np.float32)
        )
    found.exclusive = several if exclusive is None else exclusive
    counts = ", ".join(f"{value} {int((column == value).sum())}" for value in values)
    which = "exclusive classes" if found.exclusive else "classes"
    chosen = "" if several else f"; positive: {positive or values[-1]}"
    blank = f"; blank in {int(column.isna().sum())} rows" if column.isna().any() else ""
    found.used[name] = f"label: {len(values)} {which}, {counts}{chosen}{blank}"


def _require_one_each(table: OwnTable, found: LabelColumns) -> None:
    values = pd.DataFrame(found.values)
    wrong = (values.sum(axis=1) != 1).to_numpy()
    if wrong.any():
        row = int(np.argmax(wrong))
        lines = f" ({int(wrong.sum())} lines in all)" if wrong.sum() > 1 else ""
        what = f"{int(values.iloc[row].sum())} labels are 1{lines}; with exclusive=True, one must be"
        raise BenchError(what, where=table.where(row), fix="correct the line, or leave out exclusive=True")
    found.exclusive = True


def _describe_others(
    others: Sequence[str], kinds: dict[str, ColumnKind], found: LabelColumns, by_rule: bool
) -> None:
    for name in others:
        kind = kinds[name]
        if name in found.used:
            continue
        if kind.kind in ("binary", "uncertain", "almost"):
            found.used[name] = f"not a label: not chosen ({kind.text()})"
            continue
        hint = f"; label={name} uses it" if kind.kind == "names" else ""
        found.used[name] = f"not a label: {kind.text()}{hint}"
        if by_rule and (kind.kind == "soft" or kind.answers):
            found.notes.append(f"column '{name}' looks like a label, but is not used: {kind.text()}{hint}")
