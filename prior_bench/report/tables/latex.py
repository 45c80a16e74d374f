"""Format a table as LaTeX (booktabs): column groups above ``\\cmidrule``, no wider than the line.

Wide tables are set in a smaller size and broken between column groups into blocks below each other. If the
blocks do not fit on a page, there are several floats. A block that is still too wide is scaled to the line.
Reasons that are too long for a cell are replaced by letters, which the caption explains.
"""

from __future__ import annotations

import re
from string import ascii_lowercase

from prior_bench.escaping.latex import tex, tex_number
from prior_bench.report.tables.layout import blocks_of, cell_text, groups_of, heading_of
from prior_bench.report.tables.marks import BEST, LEADING, TIED
from prior_bench.report.tables.table import Cell, Column, Row, Table

PACKAGES = ("booktabs", "graphicx")
"""LaTeX packages that the document must load."""

LINE, SMALL_LINE = 58, 70
"""Number of characters that always fit on a line of the article class, in normal size and
``\\footnotesize``."""

WIDEST = 96
"""Largest width of a block in characters. Scaled to the line, it is hardly smaller than its neighbours."""

ROWS = 35
"""Largest number of rows of a block; longer tables continue in another block."""

PAGE = 530
"""Height of a float in points; the article class has 550."""

BETWEEN = 3
"""Space between two columns, in characters."""

LONGEST_REASON = 16
"""Longest reason that is printed in a cell; longer ones are replaced by letters."""


def latex(table: Table) -> str:
    """Return a ``table`` environment, or several with one number; it needs :data:`PACKAGES`."""
    letters = _letters(table)

    def width(columns: list[int]) -> int:
        return _width(table, columns, letters)

    small = width(list(range(len(table.columns)))) > LINE
    blocks = blocks_of(table, width, WIDEST) if small else [list(range(len(table.columns)))]
    notes = [*table.notes, *(f"{letter}: {reason}." for reason, letter in letters.items())]
    title = tex(table.title)
    captions = [
        rf"\caption[{{{title}}}]{{{title}. {tex(' '.join(notes))}}}",
        rf"\label{{tab:{re.sub('[^A-Za-z0-9_-]', '-', table.name)}}}",
    ]
    lines: list[str] = []
    parts = [table.rows[start : start + ROWS] for start in range(0, len(table.rows), ROWS)]
    tabulars = [
        _fitted(_tabular(table, rows, columns, letters), width(columns) > SMALL_LINE)
        for columns in blocks
        for rows in parts
    ]
    for page in _pages(tabulars, len(parts[0]), len(" ".join([title, *notes]))):
        lines += [r"\begin{table}[t]", r"\centering", *captions, r"\bigskip", *[r"\footnotesize"] * small]
        for i, block in enumerate(page):
            lines += [*[r"\par\bigskip"] * (i > 0), *block]
        lines.append(r"\end{table}")
        captions = [r"\addtocounter{table}{-1}", rf"\caption[]{{{title} (continued).}}"]
    return "\n".join(lines) + "\n"


def _pages(blocks: list[list[str]], rows: int, caption: int) -> list[list[list[str]]]:
    """Return the blocks of each float: as many as fit on a page below a caption of ``caption`` characters."""
    height = 32 + 9.5 * (rows + 2)  # of a block, with its rules and the space around it
    first = max(int((PAGE - 12 * (caption / 80 + 2)) // height), 1)
    others = max(int((PAGE - 48) // height), 1)
    starts = [0, *range(first, len(blocks), others)]
    return [blocks[start:end] for start, end in zip(starts, [*starts[1:], len(blocks)], strict=True)]


def _tabular(table: Table, rows: list[Row], columns: list[int], letters: dict[str, str]) -> list[str]:
    spans, rules, start = [], [], 2
    for group in groups_of(table, columns):
        spans.append(rf"\multicolumn{{{len(group)}}}{{c}}{{{tex(table.columns[group[0]].group)}}}")
        rules.append(rf"\cmidrule(lr){{{start}-{start + len(group) - 1}}}")
        start += len(group)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["", *spans]).strip() + r" \\",
        " ".join(rules),
        " & ".join(["Backbone", *(tex(heading_of(table.columns[i])) for i in columns)]) + r" \\",
        r"\midrule",
    ]
    rows = [row for row in rows if not row.trivial or any(row.cells[c].values for c in columns)]
    for i, row in enumerate(rows):
        if row.trivial and i and not rows[i - 1].trivial:
            lines.append(r"\midrule")
        cells = [_marked(row.cells[c], table.columns[c], letters) for c in columns]
        lines.append(" & ".join([_label(row), *cells]) + r" \\")
    return [*lines, r"\bottomrule", r"\end{tabular}"]


def _fitted(tabular: list[str], may_be_too_wide: bool) -> list[str]:
    """Return the tabular, scaled to the line if it is wider, which LaTeX itself measures."""
    if not may_be_too_wide:
        return tabular
    return [
        r"\begin{lrbox}{0}%",
        *tabular[:-1],
        rf"{tabular[-1]}%",
        r"\end{lrbox}%",
        r"\ifdim\wd0>\linewidth\resizebox{\linewidth}{!}{\usebox{0}}\else\usebox{0}\fi",
    ]


def _marked(cell: Cell, column: Column, letters: dict[str, str]) -> str:
    text = cell_text(cell, column)
    if not cell.values:
        letter = letters.get(cell.reason)
        return rf"--\textsuperscript{{{letter}}}" if letter else tex(text)
    text = tex_number(text)
    tied = rf"{text}\rlap{{$^\approx$}}"  # without width, so that digits are aligned
    marks = {BEST: rf"\textbf{{{text}}}", TIED: tied, LEADING: rf"\underline{{{text}}}"}
    return marks.get(cell.mark, text)


def _label(row: Row) -> str:
    label = rf"\emph{{{tex(row.label)}}}" if row.trivial else tex(row.label)
    return f"{{}}{label}" if label.startswith(("[", "*")) else label  # else an option of \\


def _letters(table: Table) -> dict[str, str]:
    """Return letters a, b, … and then numbers for the long reasons, in the order of the cells."""
    reasons = dict.fromkeys(cell.reason for row in table.rows for cell in row.cells if not cell.values)
    long = [reason for reason in reasons if len(reason) > LONGEST_REASON]
    return {reason: ascii_lowercase[n] if n < 26 else str(n - 25) for n, reason in enumerate(long)}


def _width(table: Table, columns: list[int], letters: dict[str, str]) -> int:
    """Estimate the width of a block in characters."""
    total = max(len(row.label) for row in table.rows)
    for group in groups_of(table, columns):
        widths = [
            max(
                len(heading_of(table.columns[c])),
                *(3 if row.cells[c].reason in letters else _printed(row, table, c) for row in table.rows),
            )
            + BETWEEN
            for c in group
        ]
        total += max(sum(widths), len(table.columns[group[0]].group) + BETWEEN)
    return total


def _printed(row: Row, table: Table, column: int) -> int:
    return len(cell_text(row.cells[column], table.columns[column]))
