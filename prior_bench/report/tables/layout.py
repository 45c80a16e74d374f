"""What the formats of a table have in common: the text of a cell, groups of columns, blocks of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from prior_bench.report.tables.table import Cell, Column, Table

REASON_LENGTH = 60
"""Longest reason in tables that people read; longer ones are cut. JSON and CSV hold them in full."""


def cell_text(cell: Cell, column: Column) -> str:
    """The text of a cell without its mark, for example ``71.2 ± 0.4``."""
    if not cell.values:
        reason = cell.reason
        return reason if len(reason) <= REASON_LENGTH else f"{reason[: REASON_LENGTH - 1]}…"
    digits, sign = column.digits, "+" if cell.signed else ""
    text = f"{cell.mean:{sign}.{digits}f}"
    if len(cell.values) > 1:
        text += f" ± {cell.std:.{digits}f}"
    if cell.interval:
        text += " [" + ", ".join(f"{bound:{sign}.{digits}f}" for bound in cell.interval) + "]"
    if 0 < len(cell.values) < cell.planned:
        text += f" ({len(cell.values)} of {cell.planned} seeds)"
    return text


def heading_of(column: Column) -> str:
    """The lower heading of a column, with an arrow for the direction that is better."""
    if not column.arrow:
        return column.label
    return f"{column.label} {'↑' if column.higher_is_better else '↓'}".strip()


def groups_of(table: Table, columns: Iterable[int] | None = None) -> list[list[int]]:
    """Positions of adjacent columns with the same group, among all columns or among the given ones."""
    chosen = range(len(table.columns)) if columns is None else columns
    return [list(group) for _, group in groupby(chosen, key=lambda i: table.columns[i].group)]


def blocks_of(table: Table, width: Callable[[list[int]], int], limit: int) -> list[list[int]]:
    """Positions of the columns in each block, which holds as many whole groups as its width allows."""
    blocks: list[list[int]] = []
    for group in groups_of(table):
        if blocks and width([*blocks[-1], *group]) <= limit:
            blocks[-1] += group
        else:
            blocks.append(group)
    return blocks
