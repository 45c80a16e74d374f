"""The pages of a site: an index, one page for each evaluation, one for each row."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from prior_bench.api import RunRecord
from prior_bench.escaping.page import environment
from prior_bench.leaderboard.comparable import protocol_note, published_beside
from prior_bench.leaderboard.contents import Contents
from prior_bench.leaderboard.downloads import date_of, leakage_of
from prior_bench.leaderboard.entries import Board, Contributor
from prior_bench.leaderboard.linked import link, marked, state
from prior_bench.leaderboard.standings import Standing, column_of, digits_text, verified_metrics
from prior_bench.report import html
from prior_bench.report.html.sortable import SortableTable, number, words
from prior_bench.report.runs.run_text import inline
from prior_bench.report.tables.layout import heading_of

SHORT = 8
"""Digits of a hash that a table shows."""


class Pages:
    """Makes the pages of a site.

    Args:
        contents: what the site shows.
    """

    def __init__(self, contents: Contents):
        self.contents = contents
        folders = Path(__file__).parent / "templates", Path(html.__file__).parent / "templates"
        self._templates = environment(*folders)
        self._templates.filters["inline"] = inline

    def index(self) -> str:
        """Return the first page: evaluations, bundles, conflicts, and what was left out."""
        shown = self.contents
        boards = SortableTable(
            "Evaluations. Numbers of two pages are not comparable.",
            ["Evaluation", "Metric", "Rows", "Verified rows", "Data"],
        )
        for board in shown.boards:
            found, _ = shown.standings[board]
            verified = sum(standing.verified for standing in found)
            cells = [link(board.title, f"protocols/{board.slug}.html"), words(heading_of(column_of(board)))]
            cells += [number(len(found), 0), number(verified, 0)]
            boards.rows.append([*cells, words("synthetic" if board.synthetic else "")])
        rows = SortableTable("Rows of all bundles.", ["Row", "Bundle", "Evaluations", "Records", "Card"])
        for row in shown.rows:
            cells = [link(row.label, f"rows/{row.slug}.html"), words(row.bundle.opened.statement.title)]
            cells += [number(len(shown.boards_of(row)), 0), number(len(row.runs), 0)]
            rows.rows.append([*cells, words("by the submitter" if row.card.card else "from the records")])
        return self._render("index.html.j2", "", boards=boards, rows=rows, bundles=self._bundles())

    def board(self, board: Board) -> str:
        """Return the page of an evaluation."""
        found, notes = self.contents.standings[board]
        column = column_of(board)
        scaled = f" Values × {column.scale:g}." if column.scale != 1 else ""
        table = SortableTable(
            f"{heading_of(column)}, mean over seeds.{scaled}",
            ["Method", heading_of(column), "± over seeds", "95 % interval", "Seeds", "State", "Bundle"]
            + ["Finished", "Versions", "Test set", "Training data"],
        )
        table.rows = [self._line(standing, board) for standing in found]
        numbers = published_beside(board)
        published = SortableTable(
            "Published numbers with the same data set, split, label fraction, frozen parts and metric. They "
            "were not computed here; resolution, schedule and pre-training data still differ.",
            ["Method", "Value", "Source", "Table", "Read in", "Checked in the source"],
        )
        for one in numbers:
            cells = [words(one.method), number(one.value, one.digits), words(one.source_paper)]
            published.rows.append([*cells, words(one.source_table), words(one.via), words(one.verified)])
        return self._render(
            "board.html.j2",
            "../",
            board=board,
            table=table,
            notes=notes,
            published=published if numbers else None,
            protocol=board.spec["protocol"],
            protocol_note=protocol_note(board),
            conflicts=self.contents.texts_of(row.slug for row in board.entries),
        )

    def row(self, row: Contributor) -> str:
        """Return the page of a row: its numbers, its card, how they were made."""
        table = SortableTable(
            "All metrics of its protocols.",
            ["Evaluation", "Metric", "Mean", "± over seeds", "Seeds", "State", "Records"],
        )
        for board, standing in self.contents.boards_of(row):
            for metric in dict.fromkeys([board.metric, *board.spec["protocol"]["metrics"]]):
                table.rows += self._metric_line(board, standing, metric)
        card = row.card
        leaks = {c for _, standing in self.contents.boards_of(row) for c in leakage_of(standing)}
        return self._render(
            "row.html.j2",
            "../",
            row=row,
            table=table,
            card=card.card.model_dump(exclude_none=True) if card.card else None,
            weights=card.weights,
            statement=row.bundle.opened.statement,
            environments=[one.model_dump() for one in row.bundle.opened.statement.environments],
            commands=sorted({str(run.record.provenance.get("command", "")) for run in row.runs} - {""}),
            leaks=sorted(leaks),
            conflicts=self.contents.texts_of([row.slug]),
        )

    def _line(self, standing: Standing, board: Board) -> list[Any]:
        row, column, cell = standing.row, column_of(board), standing.cell
        text = digits_text(cell.mean, column) if cell.values else cell.reason
        bounds = cell.interval
        interval = f"{digits_text(bounds[0], column)} to {digits_text(bounds[1], column)}" if bounds else "–"
        records = [standing.runs[seed].record for seed in sorted(standing.runs)]
        versions = _joined(_versions(record) for record in records)
        prints = _joined(str(r.provenance.get("data_fingerprint", ""))[:SHORT] for r in records)
        splits = _joined(str(r.split.get("hash", ""))[:SHORT] for r in records)
        return [
            link(row.label, f"../rows/{row.slug}.html"),
            marked(text, cell.mean if cell.values else None, cell.mark),
            number(cell.std, column.digits),
            words(interval),
            number(len(cell.values), 0, ", ".join(map(str, sorted(cell.values)))),
            state(standing.verified, standing.why, standing.disputed),
            words(row.bundle.opened.statement.title),
            words(date_of(standing)),
            words(versions),
            words(f"{prints}, split {splits}"),
            words(training_data(standing, board)),
        ]

    def _metric_line(self, board: Board, standing: Standing, metric: str) -> list[list[Any]]:
        value = standing.mean_of(metric)
        if not math.isfinite(value):
            return []
        column = column_of(board, metric)
        seeds = sorted(standing.runs)
        verified = metric in verified_metrics(standing.row, standing.runs.values())
        why = standing.why or "not computed again"
        return [
            [
                link(board.title, f"../protocols/{board.slug}.html"),
                words(heading_of(column)),
                number(column.scale * value, column.digits),
                number(column.scale * standing.deviation_of(metric), column.digits),
                words(", ".join(map(str, seeds))),
                state(verified, "" if verified else why),
                words(", ".join(standing.runs[seed].key for seed in seeds)),
            ]
        ]

    def _bundles(self) -> SortableTable:
        table = SortableTable(
            "Bundles. A hash shows that nothing was changed since it was made, and not who made it.",
            ["Bundle", "Contact", "Licence", "Records", "Verified", "Note", "sha256"],
        )
        for bundle in self.contents.bundles:
            said = bundle.opened.statement
            cells = [words(said.title), words(said.contact), words(said.licence)]
            cells += [number(len(bundle.records), 0), number(bundle.verified, 0), words(said.note)]
            table.rows.append([*cells, words(bundle.opened.sha256[:16])])
        return table

    def _render(self, template: str, up: str, **values: Any) -> str:
        shown = self.contents
        return self._templates.get_template(template).render(
            up=up, site=shown.title, contents=shown, version=shown.version, **values
        )


def training_data(standing: Standing, board: Board) -> str:
    """Return what is known of test patients that the weights of a row have seen, in words."""
    if leaks := leakage_of(standing):
        return f"leakage: {'; '.join(leaks)}"
    card = standing.row.card.card
    if card is None:
        return "nothing known; no card was given"
    if said := card.trained_on.get(board.spec["data"].get("type", "")):
        return f"card: {said}"
    return "card: not on this data set" if card.trained_on else "card: none of our data sets"


def _versions(record: RunRecord) -> str:
    """Return the versions of a record that a table shows."""
    found = record.provenance.get("versions", {})
    return ", ".join(f"{name} {found[name]}" for name in ("prior-bench", "torch") if found.get(name))


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, texts)))
