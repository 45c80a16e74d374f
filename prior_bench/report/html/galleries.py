"""Example images: what each backbone predicted, beside the truth, from stored predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from prior_bench.data.open import open_dataset
from prior_bench.errors import BenchError
from prior_bench.report.html.pictures import Mark, Original, Picture, outline, rectangle
from prior_bench.report.lookup import Entry

EXAMPLES = 5
"""Images per gallery."""

BOXES = 3
"""Detections drawn per image, those with the highest scores."""

REPORTS = 3
"""Retrieved reports shown per query."""


@dataclass
class Answer:
    """What one backbone said about an image.

    Attributes:
        backbone: row label.
        caption: one line.
        picture: with marks, or None.
        bars: (name, share in [0, 1], is it the truth) per class, best first.
        texts: (report, is it the right one) of retrieved reports, best first.
    """

    backbone: str
    caption: str = ""
    picture: Picture | None = None
    bars: list[tuple[str, float, bool]] = field(default_factory=list)
    texts: list[tuple[str, bool]] = field(default_factory=list)


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
        task: registered name.
        title: what is shown.
        legend: how to read the pictures.
        examples: images.
        problem: why there are none.
    """

    task: str
    title: str
    legend: str
    examples: list[Example] = field(default_factory=list)
    problem: str = ""


@dataclass
class Run:
    """One backbone's run: row label, record, stored predictions, and the position of each sample id."""

    name: str
    entry: Entry
    predictions: dict[str, Any]
    place: dict[str, int]

    @classmethod
    def of(cls, entry: Entry) -> Run:
        """With the predictions read from the store."""
        predictions = entry.store.predictions(entry.key)
        place = {str(sample): n for n, sample in enumerate(predictions["id"])}
        return cls(entry.spec["backbone"]["name"], entry, predictions, place)


class Evaluation:
    """The runs that are compared in a gallery: one per backbone, on the same data, fraction and seed."""

    def __init__(self, entries: list[Entry]):
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
        return " ".join(self.manifest.table["report"].iat[self.row[sample]])

    def shared(self) -> list[str]:
        """Sample ids that every backbone was tested on, in the order of the first."""
        return [i for i in self.runs[0].place if all(i in run.place for run in self.runs)]


def gallery(entries: list[Entry]) -> Gallery | None:
    """The gallery of an evaluation; None for tasks that have none."""
    task = entries[0].spec["task"]
    if task not in MAKERS:
        return None
    title, legend, maker = MAKERS[task]
    found = Gallery(task, f"{title}: {entries[0].spec['data']['name']}", legend)
    try:
        found.examples = maker(Evaluation(entries))
    except (BenchError, KeyError) as error:
        missing = f"the stored predictions lack {error}" if isinstance(error, KeyError) else str(error)
        found.problem = f"No examples can be shown: {missing}"
    return found


# --- one maker per task ---------------------------------------------------------------------------------


def zero_shot(evaluation: Evaluation) -> list[Example]:
    """Images of different classes, and every backbone's scores of the classes."""
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


def retrieval(evaluation: Evaluation) -> list[Example]:
    """Query images, and the reports every backbone found for them."""
    examples = []
    for sample in _spread(evaluation.shared(), EXAMPLES - 1):
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


def segmentation(evaluation: Evaluation) -> list[Example]:
    """Images from best to worst, with true and predicted outline."""
    masks = [_kept_masks(run.predictions) for run in evaluation.runs]
    everywhere = [sample for sample in masks[0] if all(sample in kept for kept in masks)]
    pool = everywhere if len(everywhere) >= 3 else list(masks[0])
    quality = {
        sample: np.mean([_dice(*kept[sample]) for kept in masks if sample in kept])
        for sample in pool
        if masks[0][sample][1].any()
    }
    examples = []
    for sample in _spread(sorted(quality, key=quality.get, reverse=True), EXAMPLES):
        original = evaluation.original(sample)
        answers = []
        for run, kept in zip(evaluation.runs, masks, strict=True):
            if sample not in kept:
                answers.append(Answer(run.name, "mask of this image not kept"))
                continue
            predicted, true = kept[sample]
            caption = f"Dice {_dice(predicted, true):.2f}"
            alt = f"Radiograph with the true outline and the one predicted by {run.name}, {caption}"
            fed = run.entry.record.provenance.get("input", {})
            picture = original.as_input(true.shape[0], fed.get("resize", "pad"), alt)
            picture.marks = [Mark("true", outline(true)), Mark("predicted", outline(predicted))]
            answers.append(Answer(run.name, caption, picture))
        examples.append(Example("", answers))
    return examples


def detection(evaluation: Evaluation) -> list[Example]:
    """Images with objects, with true boxes and the highest-scoring detections."""
    first = evaluation.runs[0]
    positive = set(first.predictions["truth_sample"].tolist())
    examples = []
    for sample in _spread([s for s in evaluation.shared() if first.place[s] in positive], EXAMPLES):
        picture, scale = evaluation.original(sample).picture("")
        answers = [_detected(run, sample, picture, scale) for run in evaluation.runs]
        examples.append(Example("", answers))
    return examples


def _detected(run: Run, sample: str, picture: Picture, scale: float) -> Answer:
    found, row = run.predictions, run.place[sample]
    truth = found["truth_box"][found["truth_sample"] == row]
    score, boxes = (found[name][found["flat_sample"] == row] for name in ("flat_score", "flat_box"))
    order = np.argsort(-score, kind="stable")[:BOXES]
    marks = [Mark("true", rectangle(box, scale)) for box in truth]
    for n in order:
        corner = float(boxes[n][0] * scale), float(boxes[n][1] * scale)
        marks.append(Mark("predicted", rectangle(boxes[n], scale), _score(score[n]), corner))
    caption = "no detection"
    if len(order):
        overlap = max((_iou(boxes[order[0]], box) for box in truth), default=0.0)
        caption = f"best detection: score {_score(score[order[0]])}, IoU {overlap:.2f}"
    alt = f"Radiograph with {len(truth)} true box(es) and {len(order)} detection(s) by {run.name}; {caption}"
    return Answer(run.name, caption, picture.with_marks(marks, alt))


MAKERS: dict[str, tuple[str, str, Callable[[Evaluation], list[Example]]]] = {
    "zero_shot": (
        "Zero-shot classification",
        "Bars show how each backbone ranks the classes of an image, from its lowest to its highest score; "
        "the true class is marked with a tick.",
        zero_shot,
    ),
    "retrieval": (
        "Reports retrieved for an image",
        "The three reports that each backbone finds most alike; the image's own report is marked.",
        retrieval,
    ),
    "segmentation": (
        "Segmentation",
        "Green, solid: true outline. Orange, dashed: predicted. Images from best to worst by mean Dice.",
        segmentation,
    ),
    "detection": (
        "Detection",
        "Green, solid: true boxes. Orange, dashed: the detections with the highest scores, with their score.",
        detection,
    ),
}
"""Title, legend and maker of each task's gallery."""


def _score(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else "<0.01"


def _spread(items: list, count: int) -> list:
    """``count`` items, evenly spaced from the first to the last."""
    if len(items) <= count:
        return items
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def _kept_masks(predictions: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Predicted and true mask, bool [S, S], by sample id."""
    height, width = (int(side) for side in np.broadcast_to(predictions["meta_size"], 2))

    def unpack(bits: np.ndarray) -> np.ndarray:
        return np.unpackbits(bits.reshape(-1), count=height * width).reshape(height, width).astype(bool)

    pairs = zip(predictions["example_prediction"], predictions["example_target"], strict=True)
    ids = predictions["id"][predictions["example_row"]]
    return {str(i): (unpack(p), unpack(t)) for i, (p, t) in zip(ids, pairs, strict=True)}


def _dice(one: np.ndarray, other: np.ndarray) -> float:
    total = one.sum() + other.sum()
    return float(2 * (one & other).sum() / total) if total else 1.0


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    width = max(0.0, min(one[2], other[2]) - max(one[0], other[0]))
    height = max(0.0, min(one[3], other[3]) - max(one[1], other[1]))
    area = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return float(width * height / max(area - width * height, 1e-9))
