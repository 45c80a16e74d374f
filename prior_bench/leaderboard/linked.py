"""Cells of sortable tables that lead to a page, or carry a mark."""

from __future__ import annotations

from dataclasses import dataclass

from prior_bench.report.html.sortable import Value


@dataclass(frozen=True)
class LinkedValue(Value):
    """A cell.

    Attributes:
        href: relative address of a page of the site; empty for none.
        mark: one of those in :mod:`prior_bench.report.tables.marks`, or ``""``.
        kind: class of its style: ``"verified"`` or ``"unverified"``, or ``""``.
    """

    href: str = ""
    mark: str = ""
    kind: str = ""


def link(text: str, href: str) -> LinkedValue:
    """Make a cell with words that lead to a page."""
    return LinkedValue(text, is_words=True, href=href)


def marked(text: str, sort: float | None, mark: str) -> LinkedValue:
    """Make a cell with a number and its mark."""
    return LinkedValue(text, sort, mark=mark)


def state(verified: bool, why: str = "", disputed: bool = False) -> LinkedValue:
    """Make a cell that says whether numbers were computed again from predictions, and contradict others."""
    text = "✓ verified" if verified else f"unverified: {why}" if why else "unverified"
    text += "; in conflict" if disputed else ""
    return LinkedValue(text, is_words=True, kind="verified" if verified else "unverified")
