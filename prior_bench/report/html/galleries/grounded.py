"""Gallery of phrase grounding: the map of each backbone and the annotated region."""

from __future__ import annotations

import numpy as np

from prior_bench.pictures.heat import overlay, spanned
from prior_bench.pictures.radiographs import Mark, jpeg, outline
from prior_bench.report.html.galleries.examples import Answer, ComparedRuns, Example, Run
from prior_bench.report.html.galleries.maker import Maker


def grounding(evaluation: ComparedRuns) -> list[Example]:
    """The stored phrases, with every backbone's map under the outline of the true region."""
    rows = {run.name: _rows(run) for run in evaluation.runs}
    examples = []
    for sample in dict.fromkeys(sample for kept in rows.values() for sample in kept):
        answers = [
            _answer(evaluation, run, sample, rows[run.name][sample])
            for run in evaluation.runs
            if sample in rows[run.name]
        ]
        first = next(run for run in evaluation.runs if sample in rows[run.name])
        phrase = str(first.predictions["phrase"][first.place[sample]])
        examples.append(Example(f"“{phrase}”", answers))
    return examples


def _rows(run: Run) -> dict[str, int]:
    """Position of each sample id among the run's examples."""
    ids = run.predictions["id"][run.predictions["example_row"]]
    return {str(sample): n for n, sample in enumerate(ids)}


def _answer(evaluation: ComparedRuns, run: Run, sample: str, n: int) -> Answer:
    found, row = run.predictions, run.place[sample]
    side, grid = int(found["meta_size"]), found["example_map"][n]
    if side * side > 8 * found["example_region"][n].size:  # numpy would make the missing bits up
        raise ValueError(f"the stored region has fewer than {side} x {side} pixels")
    if not np.isfinite(grid).all():
        return Answer(run.name, "the backbone gives no map of this phrase")
    fed = run.entry.record.provenance.get("input", {})
    pixels = evaluation.original(str(found["image_id"][row])).square(side, fed.get("resize", "pad"))
    caption = f"pixel AUROC {found['pixel_auroc'][row]:.2f}; map {spanned(grid)}"
    alt = f"Radiograph under the map of {run.name}, with the outline of the true region; {caption}"
    picture = jpeg(overlay(pixels, grid, side), side, alt)
    region = np.unpackbits(found["example_region"][n], count=side * side).reshape(side, side)
    picture.marks = [Mark("true", outline(region))]
    return Answer(run.name, caption, picture)


GROUNDING = Maker(
    "Phrase grounding",
    "Solid green: the annotated region of the phrase. Colours run from the lowest to the highest value of a "
    "map, which are given below it, so a flat map looks as strong as a peaked one.",
    grounding,
)
