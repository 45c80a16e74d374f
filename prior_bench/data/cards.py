"""Data set cards: the content and source of a data set, and the expected layout of its folder.

The module of each reader has a card named ``CARD``; a third party's module may have one too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from textwrap import fill, indent

from prior_bench.registry import DATASETS

WATCHED = ("*.csv*", "*.txt", "*.json")
"""Files from which the tables of most data sets are made; archives of images are not among them."""


@dataclass(frozen=True)
class Card:
    """Facts about one data set.

    Attributes:
        title: full name.
        what: modality, annotations and origin in one or two sentences.
        size: number of images and patients, and bytes on disk.
        source: where the data set can be obtained.
        gone: places where the data set, or the part that papers used, is no longer available, with evidence.
        access: licence and agreements to sign.
        tree: layout of the expected files, as downloaded.
        splits: the named split rules and what each does.
        options: the reader's options.
        caveats: facts to know before interpreting results.
        annotations: those of ``labels``, ``boxes``, ``masks``, ``reports`` and ``phrases`` that it has.
        published: published counts by split rule, for the reader's default options; ``"all"`` holds totals
            over the splits. See :mod:`prior_bench.data.checking.counts`.
        watched: glob patterns, relative to the root, of the files from which a prepared index is made
            (:mod:`prior_bench.data.prepared.index`); the index is stale once one of them has changed.
        patients: another data set that uses the same patient identifiers, if any. The leakage check compares
            test and pre-training patients by them (:mod:`prior_bench.suites.leakage`).
    """

    title: str
    what: str
    size: str
    source: str
    access: str
    tree: str
    splits: dict[str, str]
    options: dict[str, str]
    caveats: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()
    published: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    watched: tuple[str, ...] = WATCHED
    patients: str = ""
    gone: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """Return the card as text for the terminal."""
        lines = [f"{name}: {self.title}", "", fill(self.what, 100), ""]
        facts = {"annotations": ", ".join(self.annotations), "size": self.size, "from": self.source}
        if self.gone:
            facts["not from"] = "; ".join(self.gone)
        lines += [*_described({**facts, "access": self.access}), ""]
        lines += ["expected files", indent(self.tree.strip("\n"), "  "), ""]
        lines += ["split rules", *_described(self.splits), "", "options", *_described(self.options)]
        if self.published:
            lines += ["", "published counts (data check compares)", *_described(_counts(self.published))]
        if self.caveats:
            lines += [
                "",
                "good to know",
                *(fill(c, 98, initial_indent="  - ", subsequent_indent="    ") for c in self.caveats),
            ]
        return "\n".join(lines)


def _described(entries: dict[str, str]) -> list[str]:
    width = max(map(len, entries), default=0) + 2
    return [
        fill(text, 100, initial_indent=f"  {name:{width}}", subsequent_indent=" " * (width + 2))
        for name, text in entries.items()
    ]


def _counts(published: dict[str, dict[str, tuple[int, ...]]]) -> dict[str, str]:
    """Format the counts of each rule as ``images 18,678 / 4,003 / 4,003; ...`` (train / valid / test)."""
    return {
        rule: "; ".join(f"{what} {' / '.join(f'{n:,}' for n in values)}" for what, values in counts.items())
        for rule, counts in published.items()
    }


def card(name: str) -> Card | None:
    """Return the card of a registered data set, or None if its module has no card.

    Raises:
        BenchError: the data set is unknown.
    """
    return getattr(sys.modules[DATASETS.get(name).__module__], "CARD", None)
