"""Example images: what each backbone predicted, beside the truth, from stored predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from prior_bench.errors import BenchError
from prior_bench.report.html.galleries.dense import detection, segmentation
from prior_bench.report.html.galleries.examples import ComparedRuns, Example, Gallery
from prior_bench.report.html.galleries.explained import explained
from prior_bench.report.html.galleries.texts import retrieval, zero_shot
from prior_bench.report.runs.planned_runs import ReportedRun


@dataclass(frozen=True)
class Maker:
    """How a gallery is made.

    Attributes:
        task: whose runs it shows.
        title: what is shown.
        legend: how to read the pictures.
        make: from the runs to examples.
        optional: whether records may lack what it shows; then there is no gallery.
    """

    task: str
    title: str
    legend: str
    make: Callable[[ComparedRuns], list[Example]]
    optional: bool = False


MAKERS = {
    "zero_shot": Maker(
        "zero_shot",
        "Zero-shot classification",
        "Bars show how each backbone ranks the classes of an image, from its lowest to its highest score; "
        "the true class is marked with a tick.",
        zero_shot,
    ),
    "retrieval": Maker(
        "retrieval",
        "Reports retrieved for an image",
        "The three reports that each backbone finds most alike; the image's own report is marked.",
        retrieval,
    ),
    "explanation": Maker(
        "retrieval",
        "What methods look at",
        "Where the first sentences of an image's own report look, for methods that attend to places. Colours "
        "run from the lowest value of a map to its highest, given in brackets: a flat map looks as strong as "
        "a peaked one. Where a method reconstructs the image or writes sentences (chosen among those of the "
        "training reports), these are shown too.",
        explained,
        optional=True,
    ),
    "segmentation": Maker(
        "segmentation",
        "Segmentation",
        "Green, solid: true outline. Orange, dashed: predicted. Images from best to worst by mean Dice.",
        segmentation,
    ),
    "detection": Maker(
        "detection",
        "Detection",
        "Green, solid: true boxes. Orange, dashed: the detections with the highest scores, with their score.",
        detection,
    ),
}
"""The galleries by kind, in the order of the page."""


def galleries(entries: list[ReportedRun]) -> list[Gallery]:
    """The galleries of an evaluation; none for tasks that have none."""
    spec = entries[0].spec
    opened = cache(lambda: ComparedRuns(entries))  # opening a data set takes a while
    data = spec["data"]["name"]
    made = [_gallery(kind, data, opened) for kind, maker in MAKERS.items() if maker.task == spec["task"]]
    return [gallery for gallery in made if gallery is not None]


def _gallery(kind: str, data: str, opened: Callable[[], ComparedRuns]) -> Gallery | None:
    maker = MAKERS[kind]
    found = Gallery(kind, f"{maker.title}: {data}", maker.legend)
    try:
        found.examples = maker.make(opened())
    except (BenchError, KeyError) as error:
        if maker.optional:
            return None
        missing = f"the stored predictions lack {error}" if isinstance(error, KeyError) else str(error)
        found.problem = f"No examples can be shown: {missing}"
    return found if found.examples or not maker.optional else None
