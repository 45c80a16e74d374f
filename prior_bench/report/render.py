"""A table as text: Markdown, LaTeX (booktabs), CSV, HTML or JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from dataclasses import asdict
from itertools import groupby

from prior_bench.engine.store import plain
from prior_bench.errors import unknown_name
from prior_bench.report.marks import BEST, LEADING, TIED
from prior_bench.report.table import Cell, Column, Row, Table

WIDTH = 110
"""Markdown tables wider than this many characters are broken into several, between column groups."""

REASON_LENGTH = 60
"""Longer reasons are cut in tables meant for reading; JSON and CSV have them whole."""


def render(table: Table, style: str = "markdown") -> str:
    """The table in one of :data:`STYLES`, with its notes.

    Raises:
        BenchError: unknown style.
    """
    if style not in STYLES:
        raise unknown_name("table format", style, list(STYLES), where="--format")
    return STYLES[style](table)


def cell_text(cell: Cell, column: Column) -> str:
    """A cell without any mark, e.g. ``71.2 ± 0.4``."""
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


def markdown(table: Table) -> str:
    """Pipe tables, as many as the width asks for; underlining is HTML, which Markdown allows."""
    from tabulate import tabulate

    def marked(cell: Cell, column: Column) -> str:
        text = cell_text(cell, column).replace("|", "\\|")
        return {BEST: f"**{text}**", TIED: f"{text} ≈", LEADING: f"<u>{text}</u>"}.get(cell.mark, text)

    def block(groups: list[list[int]]) -> str:
        chosen = [i for group in groups for i in group]
        headers = ["Backbone", *(_heading(table.columns[i]) for i in chosen)]
        rows = [
            [f"*{row.label}*" if row.trivial else row.label]
            + [marked(row.cells[i], table.columns[i]) for i in chosen]
            for row in table.rows
        ]
        align = ("left", *["right"] * len(chosen))
        return tabulate(rows, headers, tablefmt="pipe", colalign=align, disable_numparse=True)

    blocks: list[list[list[int]]] = []
    for group in _groups(table):
        if blocks and len(block([*blocks[-1], group]).partition("\n")[0]) <= WIDTH:
            blocks[-1].append(group)
        else:
            blocks.append([group])
    parts = [f"**{table.title}**", *(block(groups) for groups in blocks), " ".join(table.notes)]
    return "\n\n".join(parts) + "\n"


def latex(table: Table) -> str:
    """A ``table`` environment; needs ``\\usepackage{booktabs}``."""

    def marked(cell: Cell, column: Column) -> str:
        text = _tex(cell_text(cell, column))
        marks = {BEST: rf"\textbf{{{text}}}", TIED: rf"{text} $\approx$", LEADING: rf"\underline{{{text}}}"}
        return marks.get(cell.mark, text)

    spans, rules, start = [], [], 2
    for group in _groups(table):
        spans.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{_tex(table.columns[group[0]].group)}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + len(group) - 1}}}")
        start += len(group)
    lines = [
        r"\begin{table}[t]",
        r"\centering",
        rf"\caption{{{_tex(' '.join([table.title + '.', *table.notes]))}}}",
        rf"\label{{tab:{table.name}}}",
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(["", *spans]).strip() + r" \\",
        " ".join(rules),
        " & ".join(["Backbone", *(_tex(column.label) for column in table.columns)]) + r" \\",
        r"\midrule",
    ]
    for i, row in enumerate(table.rows):
        if row.trivial and i and not table.rows[i - 1].trivial:
            lines.append(r"\midrule")
        label = rf"\emph{{{_tex(row.label)}}}" if row.trivial else _tex(row.label)
        cells = [marked(cell, column) for cell, column in zip(row.cells, table.columns, strict=True)]
        lines.append(" & ".join([label, *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"]) + "\n"


def csv(table: Table) -> str:
    """One line per cell, with everything that identifies it."""
    return table.frame().to_csv(index=False)


def html_table(table: Table, *, caption: bool = True) -> str:
    """A ``<table>`` with grouped headings; marks are ``<strong>``, ``≈`` and ``<u>``.

    Args:
        caption: with title and notes; False where the page says them itself.
    """

    def marked(cell: Cell, column: Column) -> str:
        text = html.escape(cell_text(cell, column))
        if not cell.values:
            return f'<td class="none" title="{html.escape(cell.reason)}">{text}</td>'
        marks = {BEST: f"<strong>{text}</strong>", TIED: f"{text} ≈", LEADING: f"<u>{text}</u>"}
        text = marks.get(cell.mark, text)
        return f"<td>{text}</td>"

    def name(row: Row) -> str:
        return f"<i>{html.escape(row.label)}</i>" if row.trivial else html.escape(row.label)

    groups = _groups(table)
    top = "".join(
        f'<th scope="colgroup" colspan="{len(group)}">{html.escape(table.columns[group[0]].group)}</th>'
        for group in groups
    )
    labels = "".join(f'<th scope="col">{html.escape(column.label)}</th>' for column in table.columns)
    columns = "<col>" + "".join(f'<colgroup span="{len(group)}"></colgroup>' for group in groups)
    rows = "\n".join(
        f'<tr{" class=trivial" if row.trivial else ""}><th scope="row">{name(row)}</th>'
        + "".join(marked(cell, column) for cell, column in zip(row.cells, table.columns, strict=True))
        + "</tr>"
        for row in table.rows
    )
    notes = html.escape(" ".join([f"{table.title}.", *table.notes]))
    return (
        f'<table class="comparison">\n{f"<caption>{notes}</caption>" if caption else ""}\n{columns}\n'
        f'<thead>\n<tr><th scope="col" rowspan="2">Backbone</th>{top}</tr>\n<tr>{labels}</tr>\n</thead>\n'
        f"<tbody>\n{rows}\n</tbody>\n</table>\n"
    )


def as_json(table: Table) -> str:
    """Everything the table knows: columns, and per row and cell mean, deviation, value per seed, reason."""
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

_TEX = {
    "\\": r"\textbackslash{}",
    **{c: f"\\{c}" for c in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "→": r"$\rightarrow$",
    "–": "--",
    "…": r"\dots{}",
    "·": r"$\cdot$",
    "≈": r"$\approx$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "²": r"\textsuperscript{2}",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _heading(column: Column) -> str:
    return f"{column.group}: {column.label}" if column.label else column.group


def _groups(table: Table) -> list[list[int]]:
    """Positions of neighbouring columns with the same group."""
    numbered = enumerate(table.columns)
    return [[i for i, _ in group] for _, group in groupby(numbered, key=lambda pair: pair[1].group)]
