"""The parts of a gallery: compared runs, and their outputs for an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from prior_bench.data.recorded import open_recorded
from prior_bench.data.splitting.seeded import split_name
from prior_bench.pictures.radiographs import Original, Picture
from prior_bench.report.runs.reported_runs import FinishedRun

EXAMPLES = 5
"""Number of images per gallery."""


@dataclass
class Answer:
    """The output of one backbone for an image.

    Attributes:
        backbone: label of the row.
        caption: caption of one line.
        picture: picture with marks, or None.
        bars: (name, share in [0, 1], whether it is true) per class, best first.
        texts: (report, whether it is the image's own) of retrieved reports, best first.
        panels: pictures side by side, each with a caption.
        written: (sentence, whether it is in the image's own report) for a report that the method writes.
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
    """An image and the answers of all backbones."""

    title: str
    answers: list[Answer]
    picture: Picture | None = None
    text: str = ""


@dataclass
class Gallery:
    """Examples of one evaluation.

    Attributes:
        kind: name of its registered maker.
        title: title of the gallery.
        legend: explanation of the pictures.
        examples: the images.
        problem: reason why there are none, or "".
    """

    kind: str
    title: str
    legend: str
    examples: list[Example] = field(default_factory=list)
    problem: str = ""


@dataclass
class Run:
    """A backbone's run: its label, record and stored predictions, and the position of each sample id."""

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
    """The compared runs of a gallery: one per backbone, with the same data, fraction and seed."""

    def __init__(self, entries: list[FinishedRun]):
        self.runs = [Run.of(entry) for entry in entries]
        spec = entries[0].spec
        split = split_name(spec["protocol"]["split"], spec["seed"])
        self.manifest = open_recorded(dict(spec["data"]), split, f"record {entries[0].key}")
        self.row = {sample: row for row, sample in enumerate(self.manifest.table["id"].astype(str))}

    def original(self, sample: str) -> Original:
        """Return the radiograph of a sample id."""
        return Original.read(self.manifest.path(self.row[sample]))

    def report(self, sample: str) -> str:
        """Return the report of a sample id."""
        return " ".join(self.sentences(sample))

    def sentences(self, sample: str) -> tuple[str, ...]:
        """Return the sentences of a sample id's report."""
        return cast(tuple[str, ...], self.manifest.table["report"].iat[self.row[sample]])

    def shared(self) -> list[str]:
        """Return the sample ids on which every backbone was tested, in the order of the first backbone."""
        return [i for i in self.runs[0].place if all(i in run.place for run in self.runs)]
