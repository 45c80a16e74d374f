"""Render a table as text: Markdown, LaTeX (booktabs), CSV, HTML or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict

from prior_bench.errors import unknown_name
from prior_bench.escaping import markdown as md
from prior_bench.escaping import spreadsheet
from prior_bench.escaping.page import markup
from prior_bench.io.plain import plain
from prior_bench.report.tables.latex import latex
from prior_bench.report.tables.layout import blocks_of, cell_text, groups_of, heading_of
from prior_bench.report.tables.marks import BEST, LEADING, TIED
from prior_bench.report.tables.table import Cell, Column, Row, Table

WIDTH = 110
"""Largest width of Markdown tables in characters; wider ones are split between column groups."""


def render(table: Table, style: str = "markdown") -> str:
    """Render the table in one of :data:`STYLES`, with its notes.

    Raises:
        BenchError: the style is unknown.
    """
    if style not in STYLES:
        raise unknown_name("table format", style, list(STYLES), where="--format")
    return STYLES[style](table)


def markdown(table: Table) -> str:
    """Render as pipe tables, as many as the width requires. Underlining is HTML, which Markdown allows."""
    from tabulate import tabulate

    def marked(cell: Cell, column: Column) -> str:
        text = md.markdown(cell_text(cell, column))
        return {BEST: f"**{text}**", TIED: f"{text} ≈", LEADING: f"<u>{text}</u>"}.get(cell.mark, text)

    def block(chosen: list[int]) -> str:
        headers = ["Backbone", *(md.markdown(_heading(table.columns[i])) for i in chosen)]
        rows = [
            [f"*{md.markdown(row.label)}*" if row.trivial else md.markdown(row.label)]
            + [marked(row.cells[i], table.columns[i]) for i in chosen]
            for row in table.rows
        ]
        align = ("left", *["right"] * len(chosen))
        return tabulate(rows, headers, tablefmt="pipe", colalign=align, disable_numparse=True)

    blocks = blocks_of(table, lambda chosen: len(block(chosen).partition("\n")[0]), WIDTH)
    parts = [f"**{md.markdown(table.title)}**", *map(block, blocks), md.markdown(" ".join(table.notes))]
    return "\n\n".join(parts) + "\n"


def csv(table: Table) -> str:
    """Render one line per cell, with everything that identifies it."""
    return table.frame().map(spreadsheet.cell).to_csv(index=False)


def html_table(table: Table, *, caption: bool = True) -> str:
    """Render a ``<table>`` with grouped headings; marks are ``<strong>``, ``≈`` and ``<u>``.

    Args:
        table: the table.
        caption: whether to add title and notes; False if the page prints them.
    """

    def marked(cell: Cell, column: Column) -> str:
        text = markup(cell_text(cell, column))
        if not cell.values:
            return f'<td class="none" title="{markup(cell.reason)}">{text}</td>'
        marks = {BEST: f"<strong>{text}</strong>", TIED: f"{text} ≈", LEADING: f"<u>{text}</u>"}
        text = marks.get(cell.mark, text)
        return f"<td>{text}</td>"

    def name(row: Row) -> str:
        return f"<i>{markup(row.label)}</i>" if row.trivial else markup(row.label)

    groups = groups_of(table)
    top = "".join(
        f'<th scope="colgroup" colspan="{len(group)}">{markup(table.columns[group[0]].group)}</th>'
        for group in groups
    )
    labels = "".join(f'<th scope="col">{markup(heading_of(column))}</th>' for column in table.columns)
    columns = "<col>" + "".join(f'<colgroup span="{len(group)}"></colgroup>' for group in groups)
    rows = "\n".join(
        f'<tr{" class=trivial" if row.trivial else ""}><th scope="row">{name(row)}</th>'
        + "".join(marked(cell, column) for cell, column in zip(row.cells, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = markup(" ".join([f"{table.title}.", *table.notes]))
    return (
        f'<table class="comparison">\n{f"<caption>{notes}</caption>" if caption else ""}\n{columns}\n'
        f'<thead>\n<tr><th scope="col" rowspan="2">Backbone</th>{top}</tr>\n<tr>{labels}</tr>\n</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n"
    )


def as_json(table: Table) -> str:
    """The whole table: its columns, and for each cell the mean, deviation, value per seed and reason."""
    rows = [
        {
            "label": row.label,
            "trivial": row.trivial,
            "cells": [{**asdict(cell), "mean": cell.mean, "std": cell.std} for cell in row.cells],
        }
        for row in table.rows
    ]
    columns = [asdict(column) for column in table.columns]
    head = {"name": table.name, "title": table.title, "notes": table.notes}
    return json.dumps(plain({**head, "columns": columns, "rows": rows}), indent=1, ensure_ascii=False) + "\n"


STYLES: dict[str, Callable[[Table], str]] = {
    "markdown": markdown,
    "latex": latex,
    "csv": csv,
    "html": html_table,
    "json": as_json,
}
"""Formats by name."""


def _heading(column: Column) -> str:
    label = heading_of(column)
    return f"{column.group}: {label}" if column.label else f"{column.group} {label}".strip()
