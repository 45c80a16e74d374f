"""The parts of a gallery: runs that are compared, and the output of each for an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from prior_bench.data.open import open_dataset
from prior_bench.pictures.radiographs import Original, Picture
from prior_bench.report.runs.reported_runs import FinishedRun

EXAMPLES = 5
"""Number of images per gallery."""


@dataclass
class Answer:
    """The output of one backbone for an image.

    Attributes:
        backbone: row label.
        caption: one line.
        picture: with marks, or None.
        bars: (name, share in [0, 1], is it the truth) per class, best first.
        texts: (report, is it the right one) of retrieved reports, best first.
        panels: pictures side by side, each with a caption.
        written: (sentence, is it in the image's own report) of a report written by the method.
    """

    backbone: str
    caption: str = ""
    picture: Picture | None = None
    bars: list[tuple[str, float, bool]] = field(default_factory=list)
    texts: list[tuple[str, bool]] = field(default_factory=list)
    panels: list[tuple[Picture, str]] = field(default_factory=list)
    written: list[tuple[str, bool]] = field(default_factory=list)


@dataclass
class Example:
    """One image and every backbone's answer."""

    title: str
    answers: list[Answer]
    picture: Picture | None = None
    text: str = ""


@dataclass
class Gallery:
    """Examples of one evaluation.

    Attributes:
        kind: name under which its maker is registered.
        title: what is shown.
        legend: how to read the pictures.
        examples: images.
        problem: why there are none.
    """

    kind: str
    title: str
    legend: str
    examples: list[Example] = field(default_factory=list)
    problem: str = ""


@dataclass
class Run:
    """One backbone's run: row label, record, stored predictions, and the position of each sample id."""

    name: str
    entry: FinishedRun
    predictions: dict[str, Any]
    place: dict[str, int]

    @classmethod
    def of(cls, entry: FinishedRun) -> Run:
        """Read the predictions of a run from the store."""
        predictions = entry.store.predictions(entry.key)
        place = {str(sample): n for n, sample in enumerate(predictions["id"])}
        return cls(entry.spec["backbone"]["name"], entry, predictions, place)


class ComparedRuns:
    """The runs that are compared in a gallery: one per backbone, on the same data, fraction and seed."""

    def __init__(self, entries: list[FinishedRun]):
        self.runs = [Run.of(entry) for entry in entries]
        spec = entries[0].spec
        rule = spec["protocol"]["split"].get("rule", "default")
        self.manifest = open_dataset(dict(spec["data"]), split=rule)
        self.row = {sample: row for row, sample in enumerate(self.manifest.table["id"].astype(str))}

    def original(self, sample: str) -> Original:
        """The radiograph of a sample id."""
        return Original.read(self.manifest.path(self.row[sample]))

    def report(self, sample: str) -> str:
        """The report of a sample id."""
        return " ".join(self.sentences(sample))

    def sentences(self, sample: str) -> tuple[str, ...]:
        """The sentences of a sample id's report."""
        return cast(tuple[str, ...], self.manifest.table["report"].iat[self.row[sample]])

    def shared(self) -> list[str]:
        """Sample ids that every backbone was tested on, in the order of the first."""
        return [i for i in self.runs[0].place if all(i in run.place for run in self.runs)]
