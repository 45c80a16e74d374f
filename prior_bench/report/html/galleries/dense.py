"""Galleries of outlines and boxes: segmentation and detection."""

from __future__ import annotations

import numpy as np

from prior_bench.pictures.choice import spread
from prior_bench.pictures.radiographs import Mark, Picture, outline, rectangle
from prior_bench.report.html.galleries.examples import EXAMPLES, Answer, ComparedRuns, Example, Run
from prior_bench.report.html.galleries.maker import Maker

BOXES = 3
"""Number of detections drawn per image, those with the highest scores."""


def segmentation(evaluation: ComparedRuns) -> list[Example]:
    """Choose images from best to worst, with true and predicted outlines."""
    masks = [_kept_masks(run.predictions) for run in evaluation.runs]
    everywhere = [sample for sample in masks[0] if all(sample in kept for kept in masks)]
    pool = everywhere if len(everywhere) >= 3 else list(masks[0])
    quality = {
        sample: float(np.mean([_dice(*kept[sample]) for kept in masks if sample in kept]))
        for sample in pool
        if masks[0][sample][1].any()
    }
    examples = []
    ordered = spread(sorted(quality, key=lambda sample: quality[sample], reverse=True), EXAMPLES)
    for place, sample in zip(_places(len(ordered)), ordered, strict=True):
        original = evaluation.original(sample)
        answers = []
        for run, kept in zip(evaluation.runs, masks, strict=True):
            if sample not in kept:
                answers.append(Answer(run.name, "the mask of this image is not stored"))
                continue
            predicted, true = kept[sample]
            caption = f"Dice {_dice(predicted, true):.2f}"
            alt = f"Radiograph with the true outline and the one predicted by {run.name}, {caption}"
            fed = run.entry.record.provenance.get("input", {})
            picture = original.as_input(true.shape[0], fed.get("resize", "pad"), alt)
            picture.marks = [Mark("true", outline(true)), Mark("predicted", outline(predicted))]
            answers.append(Answer(run.name, caption, picture))
        examples.append(Example(f"{place} {quality[sample]:.2f}", answers))
    return examples


def _places(count: int) -> list[str]:
    """Return the captions of ``count`` images in order; the first, the middle and the last have their own."""
    places = ["Mean Dice"] * count
    for position, name in ((count // 2, "Median"), (-1, "Worst"), (0, "Best")):
        if count and (name != "Median" or count % 2):
            places[position] = f"{name} of the stored images, mean Dice"
    return places


def detection(evaluation: ComparedRuns) -> list[Example]:
    """Choose images with objects, with true boxes and the detections with the highest scores."""
    first = evaluation.runs[0]
    positive = set(first.predictions["truth_sample"].tolist())
    examples = []
    for sample in spread([s for s in evaluation.shared() if first.place[s] in positive], EXAMPLES):
        picture, scale = evaluation.original(sample).picture("")
        answers = [_detected(run, sample, picture, scale) for run in evaluation.runs]
        true = int((first.predictions["truth_sample"] == first.place[sample]).sum())
        examples.append(Example(f"{true} true box{'es' if true > 1 else ''}", answers))
    return examples


def _detected(run: Run, sample: str, picture: Picture, scale: float) -> Answer:
    found, row = run.predictions, run.place[sample]
    truth = found["truth_box"][found["truth_sample"] == row]
    mine = (found["flat_sample"] == row) & (found.get("flat_head", 0) == 0)  # of several detectors, the first
    score, boxes = (found[name][mine] for name in ("flat_score", "flat_box"))
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


def _score(value: float) -> str:
    return f"{value:.2f}" if value >= 0.01 else "<0.01"


def _kept_masks(predictions: dict[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return predicted and true masks, bool [S, S], by sample id."""
    height, width = (int(side) for side in np.broadcast_to(predictions["meta_size"], 2))
    if height * width > 8 * predictions["example_target"][:1].size:  # numpy would make the missing bits up
        raise ValueError(f"the stored masks have fewer than {height} x {width} pixels")

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


SEGMENTATION = Maker(
    "Segmentation",
    "Solid green: true outline. Dashed orange: predicted outline. Images are sorted by mean Dice.",
    segmentation,
)
DETECTION = Maker(
    "Detection",
    "Solid green: true boxes. Dashed orange: the detections with the highest scores, with these scores.",
    detection,
)
