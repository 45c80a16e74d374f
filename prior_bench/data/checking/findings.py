"""What a check finds: facts, remarks and problems, and the verdict that follows from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tabulate import tabulate

from prior_bench.data.manifest import SPLITS

SHOWN = 5
"""Largest number of examples of a finding."""
LEVELS = ("note", "remark", "problem")
VERDICTS = {"problem": "not usable", "remark": "usable with remarks", "note": "usable"}
"""The verdict by the worst level that was found."""


@dataclass(frozen=True)
class DataFinding:
    """One finding.

    Attributes:
        level: ``note`` (a fact), ``remark`` (worth knowing, the data can be used) or ``problem`` (results
            would be wrong or runs fail).
        what: one sentence.
        count: number of images, reports, ... that it concerns; 0 if it is not about a number of them.
        examples: ids of the first of them.
        kind: short name of what was looked for, such as ``constant images``.
    """

    level: str
    what: str
    count: int = 0
    examples: tuple[str, ...] = ()
    kind: str = ""

    def text(self) -> str:
        """Return the sentence with its examples."""
        shown = f", e.g. {', '.join(self.examples)}" if self.examples else ""
        return f"{self.what}{shown}"


def of_many(level: str, what: str, ids: Iterable[str], kind: str) -> list[DataFinding]:
    """Return a finding about several images, or none without any.

    Args:
        level: its level.
        what: the sentence after the number, such as "images are constant".
        ids: ids of all of them.
        kind: what was looked for.
    """
    ids = [str(one) for one in ids]
    shown = tuple(ids[:SHOWN])
    return [DataFinding(level, f"{len(ids)} {what}", len(ids), shown, kind)] if ids else []


@dataclass
class CheckReport:
    """The outcome of a check.

    Attributes:
        counts: one row per quantity: its name, then its values for train, valid and test.
        published: published value of a quantity, by its name; shown next to its own counts.
        split: rule and hash of the split.
        columns: how the reader uses each column of a user's table.
        findings: everything that was found.
    """

    counts: list[tuple[str, ...]] = field(default_factory=list)
    published: dict[str, str] = field(default_factory=dict)
    split: dict = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    findings: list[DataFinding] = field(default_factory=list)

    def of_level(self, level: str) -> list[str]:
        """Return the texts of the findings of a level."""
        return [finding.text() for finding in self.findings if finding.level == level]

    @property
    def problems(self) -> list[str]:
        """Texts of the problems."""
        return self.of_level("problem")

    @property
    def remarks(self) -> list[str]:
        """Texts of the remarks."""
        return self.of_level("remark")

    @property
    def usable(self) -> bool:
        """Whether no problem was found."""
        return not self.problems

    @property
    def verdict(self) -> str:
        """The verdict, one of :data:`VERDICTS`."""
        worst = max((LEVELS.index(finding.level) for finding in self.findings), default=0)
        return VERDICTS[LEVELS[worst]]

    def status(self, strict: bool = False) -> int:
        """Return the exit status of ``data check``: 1 with a problem or, if strict, with a remark."""
        return int(self.verdict == "not usable" or (strict and self.verdict != "usable"))

    def text(self, name: str) -> str:
        """Return the report as text for the terminal."""
        head, rows = ["", *SPLITS], self.counts
        if self.published:
            head, rows = [*head, "published"], [(*row, self.published.get(row[0], "")) for row in rows]
        lines = [tabulate(rows, headers=head, tablefmt="simple", disable_numparse=True), ""]
        if self.columns:
            said = [(name, use) for name, use in self.columns.items()]
            lines += [tabulate(said, headers=["column", "use"], tablefmt="simple", disable_numparse=True), ""]
        lines += [f"split rule '{self.split['rule']}', hash {self.split['hash']}"]
        lines += [f"{level}: {text}" for level in LEVELS for text in self.of_level(level)]
        counted = {level: len(self.of_level(level)) for level in ("problem", "remark")}
        counts = [f"{count} {level}{'s' * (count > 1)}" for level, count in counted.items() if count]
        more = f": {', '.join(counts)}" if counts else ""
        return "\n".join([*lines, "", f"verdict: {name} is {self.verdict}{more}"])

    def plain(self, name: str) -> dict[str, Any]:
        """Return the report as plain types, for JSON."""
        rows = {row[0]: dict(zip(SPLITS, row[1:], strict=True)) for row in self.counts}
        return {
            "name": name,
            "verdict": self.verdict,
            "split": self.split,
            "counts": rows,
            "published": self.published,
            "columns": self.columns,
            "findings": [asdict(finding) | {"examples": list(finding.examples)} for finding in self.findings],
        }
