"""Common parts of the formats of a table: text of cells, groups of columns, blocks of columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from prior_bench.report.tables.table import Cell, Column, Table

REASON_LENGTH = 60
"""Longest reason in tables for people; longer ones are truncated. JSON and CSV contain them in full."""


def cell_text(cell: Cell, column: Column) -> str:
    """Return the text of a cell without its mark, for example ``71.2 ± 0.4``."""
    if not cell.values:
        reason = cell.reason
        return reason if len(reason) <= REASON_LENGTH else f"{reason[: REASON_LENGTH - 1]}…"
    digits, sign = column.digits, "+" if cell.signed else ""
    text = f"{cell.mean:{sign}.{digits}f}"
    if len(cell.values) > 1 and not cell.constant:
        text += f" ± {cell.std:.{digits}f}"
    if cell.interval:
        text += " [" + ", ".join(f"{bound:{sign}.{digits}f}" for bound in cell.interval) + "]"
    if 0 < len(cell.values) < cell.planned:
        text += f" ({len(cell.values)} of {cell.planned} seeds)"
    return text


def heading_of(column: Column) -> str:
    """Return the lower heading of a column, with an arrow for the better direction."""
    if not column.arrow:
        return column.label
    return f"{column.label} {'↑' if column.higher_is_better else '↓'}".strip()


def groups_of(table: Table, columns: Iterable[int] | None = None) -> list[list[int]]:
    """Return the positions of adjacent columns with the same group, among all or the given columns."""
    chosen = range(len(table.columns)) if columns is None else columns
    return [list(group) for _, group in groupby(chosen, key=lambda i: table.columns[i].group)]


def blocks_of(table: Table, width: Callable[[list[int]], int], limit: int) -> list[list[int]]:
    """Return the positions of the columns in each block: as many whole groups as the width allows."""
    blocks: list[list[int]] = []
    for group in groups_of(table):
        if blocks and width([*blocks[-1], *group]) <= limit:
            blocks[-1] += group
        else:
            blocks.append(group)
    return blocks
