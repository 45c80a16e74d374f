"""Data set cards: what a data set is, where it comes from and how its folder should look.

Each reader's module carries one as ``CARD``; a third party's may too.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from textwrap import fill, indent

from prior_bench.registry import DATASETS

WATCHED = ("*.csv*", "*.txt", "*.json")
"""Files that most data sets' tables are made from; archives of images next to them are none."""


@dataclass(frozen=True)
class Card:
    """Facts about one data set.

    Attributes:
        title: full name.
        what: modality, annotations, origin; one or two sentences.
        size: images, patients, bytes.
        source: where it can be obtained.
        gone: places where it, or what papers used of it, can no longer be obtained, with who says so.
        access: licence, and what has to be signed.
        tree: expected files, as downloaded.
        splits: the named split rules and what each does.
        options: the reader's options.
        caveats: what to know before trusting a number.
        annotations: of ``labels``, ``boxes``, ``masks``, ``reports``.
        published: counts to compare with (:mod:`prior_bench.data.checking.counts`), by split rule, of the
            reader's default options; ``"all"`` holds totals over the splits.
        watched: glob patterns, relative to the root, of the files from which a prepared index is made
            (:mod:`prior_bench.data.prepared.index`); the index is stale once one of them has changed.
        patients: data set whose patient identifiers it shares, where that is another one; test patients are
            looked for in pre-training by them (:mod:`prior_bench.suites.leakage`).
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
        """For the terminal."""
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
    """Per rule, ``images 18,678 / 4,003 / 4,003; ...`` (train / valid / test)."""
    return {
        rule: "; ".join(f"{what} {' / '.join(f'{n:,}' for n in values)}" for what, values in counts.items())
        for rule, counts in published.items()
    }


def card(name: str) -> Card | None:
    """The card of a registered data set, or None where its module has none.

    Raises:
        BenchError: unknown data set.
    """
    return getattr(sys.modules[DATASETS.get(name).__module__], "CARD", None)
