"""What a site shows, from sound bundles: rows, boards, standings and conflicts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prior_bench.leaderboard.checking import CheckedBundle
from prior_bench.leaderboard.conflicts import Conflict, conflicting, conflicts
from prior_bench.leaderboard.downloads import results_of
from prior_bench.leaderboard.entries import Board, Contributor, boards, contributors
from prior_bench.leaderboard.standings import Standing, standings


@dataclass(frozen=True)
class Contents:
    """The contents of a site.

    Attributes:
        title, url, version: title and address of the site, and the version of prior-bench that made it.
        bundles: sound ones, by title.
        left_out: why a file is not among them, by its name.
        rows, boards, conflicts: of the bundles.
        standings: rows and notes of each board.
    """

    title: str
    url: str
    version: str
    bundles: list[CheckedBundle]
    left_out: dict[str, list[str]]
    rows: list[Contributor]
    boards: list[Board]
    conflicts: list[Conflict]
    standings: dict[Board, tuple[list[Standing], list[str]]]

    @classmethod
    def of(
        cls, bundles: list[CheckedBundle], left_out: dict[str, list[str]], title: str, url: str, version: str
    ) -> Contents:
        """Return the contents of a site of some sound bundles."""
        rows = contributors(bundles)
        found, conflicted = boards(rows), conflicts(rows)
        disputed = {slug for conflict in conflicted if conflict.disputed for slug in conflict.rows}
        standing = {board: standings(board, disputed) for board in found}
        return cls(title, url, version, bundles, left_out, rows, found, conflicted, standing)

    def boards_of(self, row: Contributor) -> list[tuple[Board, Standing]]:
        """Return the boards of a row, and where it stands."""
        return [
            (board, standing)
            for board in self.boards
            for standing in self.standings[board][0]
            if standing.row is row
        ]

    def texts_of(self, slugs: Iterable[str]) -> list[str]:
        """Return the conflicts of some rows, each once."""
        by_row = conflicting(self.conflicts)
        return list(dict.fromkeys(text for slug in slugs for text in by_row.get(slug, [])))

    def results(self) -> list[dict[str, Any]]:
        """Return all results as plain types (:mod:`prior_bench.leaderboard.downloads`)."""
        by_row = conflicting(self.conflicts)
        return [
            result for board in self.boards for result in results_of(board, self.standings[board][0], by_row)
        ]
