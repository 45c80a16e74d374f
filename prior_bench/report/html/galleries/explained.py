"""The gallery of explanations: attention, reconstructed images, written sentences.

It uses the ``example_*`` arrays that :mod:`prior_bench.explain.examples` describes. Records without them (of
methods that show nothing, or from older versions) are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from prior_bench.pictures.heat import overlay, spanned
from prior_bench.pictures.radiographs import jpeg
from prior_bench.report.html.galleries.examples import Answer, ComparedRuns, Example, Run
from prior_bench.report.html.galleries.maker import Maker

SIDE = 176
"""Side of the pictures in pixels."""

PARTS = ("example_attention", "example_reconstruction", "example_written")


def explained(evaluation: ComparedRuns) -> list[Example]:
    """Return the images with stored explanations; none if no run has any."""
    runs = [run for run in evaluation.runs if any(part in run.predictions for part in PARTS)]
    rows = {run.name: _rows(run) for run in runs}
    examples = []
    for sample in dict.fromkeys(sample for kept in rows.values() for sample in kept):
        answers = [
            _answer(evaluation, run, sample, rows[run.name][sample])
            for run in runs
            if sample in rows[run.name]
        ]
        picture, _ = evaluation.original(sample).picture("Radiograph")
        examples.append(Example("Its report", answers, picture, evaluation.report(sample)))
    return examples


def _rows(run: Run) -> dict[str, int]:
    """Return the position of each sample id among the run's examples."""
    ids = run.predictions["id"][run.predictions["example_row"]]
    return {str(sample): n for n, sample in enumerate(ids)}


def _answer(evaluation: ComparedRuns, run: Run, sample: str, n: int) -> Answer:
    found, answer = run.predictions, Answer(run.name)
    if "example_attention" in found:
        answer.panels += _attention(evaluation, run, sample, n)
    if "example_reconstruction" in found:
        alt = f"Image that {run.name} reconstructs from image and report"
        answer.panels.append(
            (jpeg(found["example_reconstruction"][n], SIDE, alt), "reconstructed from image and report")
        )
    if "example_written" in found:
        own = set(evaluation.sentences(sample))
        answer.written = [(str(text), str(text) in own) for text in found["example_written"][n] if text]
        if not answer.written:
            answer.caption = "writes no sentence"
    return answer


def _attention(evaluation: ComparedRuns, run: Run, sample: str, n: int) -> list[tuple[Any, str]]:
    fed = run.entry.record.provenance.get("input", {})
    pixels = evaluation.original(sample).square(SIDE, fed.get("resize", "pad"))
    panels = []
    for text, grid in zip(
        run.predictions["example_attention_text"][n], run.predictions["example_attention"][n], strict=True
    ):
        if text and np.isfinite(grid).all():
            alt = f"Radiograph under the attention of {run.name} to “{text}”"
            panels.append((jpeg(overlay(pixels, grid, SIDE), SIDE, alt), f"{text} ({spanned(grid)})"))
    return panels


EXPLANATION = Maker(
    "What methods look at",
    "Attention of the first sentences of an image's own report, for methods with attention over the image. "
    "Colours run from the lowest to the highest value of a map, which are given in brackets, so a flat map "
    "looks as strong as a peaked one. Reconstructed images and written sentences (chosen from the training "
    "reports) are shown for methods that have them.",
    explained,
    optional=True,
)
