"""A figure for the reader's own questions: one column, the rows of their choice, and the numbers of each dot.

Drawn in the browser by Vega-Lite. Numbers and names are data of its specification and never part of one of
its expressions, so that no name of a row or column can act.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prior_bench.report.html.figures.svg import shown_label
from prior_bench.report.tables.layout import cell_text, heading_of
from prior_bench.report.tables.table import Cell, Column, Table

GREY = "#7f7f7f"
"""Colour of rows that are no backbones."""

STEP = 26
"""Height of a row in pixels."""


@dataclass(frozen=True)
class Explorer:
    """A figure: its title, its specification as JSON, and a sentence on what dots and bars are."""

    title: str
    specification: str
    note: str


def explorers(tables: Iterable[Table], colours: dict[str, str]) -> list[Explorer]:
    """Return a figure for each table with at least two rows that have numbers.

    Args:
        tables: the tables of the report.
        colours: colours of the backbones.
    """
    return [explorer(table, colours) for table in tables if sum(map(_has_numbers, _rows(table))) > 1]


def explorer(table: Table, colours: dict[str, str]) -> Explorer:
    """Return the figure of a table: one column at a time, a line for each row."""
    columns = [c for c in range(len(table.columns)) if any(cells[c].values for _, cells in _rows(table))]
    values = [
        _datum(c, r, name, cells[c], table.columns[c])
        for c in columns
        for r, (name, cells) in enumerate(_rows(table))
        if cells[c].values
    ]
    names = [name for name, _ in _rows(table)]
    specification = {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "description": f"{table.title}: a column's values by row",
        "width": "container",
        "height": STEP * len(names),
        "background": None,
        "params": [_choice(table, columns), *(_shown(r, name) for r, name in enumerate(names))],
        "data": {"values": values},
        "transform": [
            {"filter": "datum.column == column"},
            {"filter": f"[{', '.join(f'row_{r}' for r in range(len(names)))}][datum.order]"},
        ],
        "encoding": {
            "y": {"field": "row", "type": "nominal", "sort": {"field": "order"}, "title": None},
            "color": {
                "field": "row",
                "type": "nominal",
                "scale": {"domain": names, "range": [colours.get(name, GREY) for name in names]},
                "legend": None,
            },
            "tooltip": [
                {"field": "row", "title": "Backbone"},
                {"field": "shown", "title": "Value"},
                {"field": "by_seed", "title": "By seed"},
            ],
        },
        "layer": [_bars(), _dots(), _ticks()],
        "config": _ink(),
    }
    return Explorer(table.title, _as_json(specification), _note(values))


def _rows(table: Table) -> list[tuple[str, list[Cell]]]:
    """Return a name and the cells of each row; long names that are cut to the same text are numbered."""
    names = [shown_label(row.label) for row in table.rows]
    seen = [names[: r + 1].count(name) for r, name in enumerate(names)]
    numbered = [name if n == 1 else f"{name} ({n})" for name, n in zip(names, seen, strict=True)]
    return [(name, row.cells) for name, row in zip(numbered, table.rows, strict=True)]


def _has_numbers(row: tuple[str, list[Cell]]) -> bool:
    return any(cell.values for cell in row[1])


def _datum(c: int, r: int, name: str, cell: Cell, column: Column) -> dict[str, Any]:
    seeds = {seed: round(value, column.digits + 2) for seed, value in sorted(cell.values.items())}
    low, high = cell.interval or (cell.mean - cell.std, cell.mean + cell.std)
    return {
        "column": c,
        "order": r,
        "row": name,
        "mean": round(cell.mean, 4),
        "low": round(cell.mean if math.isnan(low) else low, 4),
        "high": round(cell.mean if math.isnan(high) else high, 4),
        "seeds": list(seeds.values()),
        "shown": cell_text(cell, column),
        "by_seed": ", ".join(f"{value:.{column.digits}f}" for value in seeds.values()),
    }


def _choice(table: Table, columns: list[int]) -> dict[str, Any]:
    labels = [shown_label(f"{table.columns[c].group}: {heading_of(table.columns[c])}") for c in columns]
    chosen = {"input": "select", "options": columns, "labels": labels, "name": "Column "}
    return {"name": "column", "value": columns[0], "bind": chosen}


def _shown(r: int, name: str) -> dict[str, Any]:
    return {"name": f"row_{r}", "value": True, "bind": {"input": "checkbox", "name": f"{name} "}}


def _bars() -> dict[str, Any]:
    across = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    # dots alone are told to screen readers: they have all numbers
    return {"mark": {"type": "rule", "strokeWidth": 2, "aria": False}, "encoding": across}


def _dots() -> dict[str, Any]:
    at = {"field": "mean", "type": "quantitative", "title": None, "scale": {"zero": False}}
    return {"mark": {"type": "point", "filled": True, "size": 90, "opacity": 1}, "encoding": {"x": at}}


def _ticks() -> dict[str, Any]:
    at = {"field": "seed", "type": "quantitative"}
    return {
        "transform": [{"flatten": ["seeds"], "as": ["seed"]}],
        "mark": {"type": "tick", "thickness": 1.5, "opacity": 0.6, "aria": False},
        "encoding": {"x": at},
    }


def _ink() -> dict[str, Any]:
    """Return settings under which text and lines have the text colour of the page, by day and by night."""
    ink = {"labelColor": "currentColor", "titleColor": "currentColor", "domainColor": "currentColor"}
    grid = {"gridColor": "currentColor", "gridOpacity": 0.15, "tickColor": "currentColor"}
    return {"axis": {**ink, **grid, "labelLimit": 190, "labelFontSize": 12}, "view": {"stroke": None}}


def _note(values: list[dict[str, Any]]) -> str:
    if not any(value["low"] < value["high"] for value in values):
        return "A dot is the value of one seed."
    several = any(len(value["seeds"]) > 1 for value in values)
    dot = "the mean over the seeds, which are ticks" if several else "the value of one seed"
    bar = "± one standard deviation over the seeds, or the interval that the table prints"
    return f"A dot is {dot}; a bar is {bar}."


def _as_json(specification: dict[str, Any]) -> str:
    """Return JSON that may stand in a ``<script>`` element: without ``<``."""
    return json.dumps(specification, allow_nan=False).replace("<", "\\u003c")
