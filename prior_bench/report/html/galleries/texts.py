"""Galleries of methods with a text encoder: zero-shot classes and retrieved reports."""

from __future__ import annotations

import numpy as np

from prior_bench.pictures.choice import spread
from prior_bench.report.html.galleries.examples import EXAMPLES, Answer, ComparedRuns, Example
from prior_bench.report.html.galleries.maker import Maker

REPORTS = 3
"""Number of retrieved reports shown per query."""


def zero_shot(evaluation: ComparedRuns) -> list[Example]:
    """Choose images of different classes, with every backbone's scores of the classes."""
    first = evaluation.runs[0]
    classes = [str(name) for name in first.predictions["meta_classes"]]
    target = {sample: first.predictions["target"][first.place[sample]] == 1 for sample in evaluation.shared()}
    single = {sample: int(np.argmax(hits)) for sample, hits in target.items() if hits.sum() == 1}
    of_class = [[sample for sample, c in single.items() if c == column] for column in range(len(classes))]
    in_turn = [samples[turn] for turn in range(EXAMPLES) for samples in of_class if turn < len(samples)]
    examples = []
    for sample in in_turn[:EXAMPLES]:
        truth = classes[single[sample]]
        picture, _ = evaluation.original(sample).picture(f"Radiograph with {truth}")
        answers = []
        for run in evaluation.runs:
            score = run.predictions["score"][run.place[sample]].astype(float)
            share = (score - score.min()) / max(np.ptp(score), 1e-12)
            order = np.argsort(-score, kind="stable")
            bars = [(classes[c], float(share[c]), classes[c] == truth) for c in order]
            verdict = "right" if bars[0][2] else "wrong"
            answers.append(Answer(run.name, f"{bars[0][0]} ({verdict})", bars=bars))
        examples.append(Example(f"Truth: {truth}", answers, picture))
    return examples


def retrieval(evaluation: ComparedRuns) -> list[Example]:
    """Choose query images, with the reports that every backbone found for them."""
    examples = []
    for sample in spread(evaluation.shared(), EXAMPLES - 1):
        own = evaluation.report(sample)
        answers = []
        for run in evaluation.runs:
            ids, row = run.predictions["id"], run.place[sample]
            top = [evaluation.report(str(ids[n])) for n in run.predictions["top_texts"][row][:REPORTS]]
            rank = float(run.predictions["image_to_text_rank"][row])
            caption = f"own report at rank {rank:g} of {len(ids)}"
            answers.append(Answer(run.name, caption, texts=[(text, text == own) for text in top]))
        picture, _ = evaluation.original(sample).picture("Query radiograph")
        examples.append(Example("Query", answers, picture, own))
    return examples


ZERO_SHOT = Maker(
    "Zero-shot classification",
    "Bars show how each backbone ranks the classes of an image, from its lowest to its highest score; "
    "the true class is marked with a tick.",
    zero_shot,
)
RETRIEVAL = Maker(
    "Reports retrieved for an image",
    "The three most similar reports for each backbone; the image's own report is marked.",
    retrieval,
)
