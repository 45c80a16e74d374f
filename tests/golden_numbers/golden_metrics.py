"""Every metric on planted predictions, through the ``score`` of the task that it belongs to."""

from functools import partial
from pathlib import Path

import numpy as np
from golden_case import Case, Numbers

from prior_bench.metrics import grounding
from prior_bench.metrics.classification import EXCLUSIVE_ONLY
from prior_bench.metrics.robustness import base
from prior_bench.registry import TASKS

CLASSES = ("Edema", "Nodule", "Effusion")
CORRUPTIONS = ("noise_1", "noise_5", "blur_1", "blur_5")
BY_TASK = ("classification", "zero_shot", "retrieval", "segmentation", "detection", "grounding")
SAMPLES = 30


def labelled(exclusive: bool) -> dict[str, np.ndarray]:
    """Scores of 30 images with ties and unknown labels, clean and under four corruptions."""
    random = np.random.default_rng(0)
    target = random.integers(0, 2, (SAMPLES, 3)).astype(np.float32)
    if exclusive:
        target = np.eye(3, dtype=np.float32)[random.integers(0, 3, SAMPLES)]
    noise = random.normal(0, 0.4, (SAMPLES, 5, 3))
    score = (0.3 + 0.4 * target[:, None] + noise).clip(0, 1).round(2).astype(np.float32)
    if not exclusive:
        target[::7, 1] = np.nan
    return {
        "id": np.array([f"i{n}" for n in range(SAMPLES)]),
        "patient_id": np.array([f"p{n // 2}" for n in range(SAMPLES)]),
        "score": score[:, 0],
        "target": target,
        "corrupted_score": score[:, 1:],
        "meta_corruptions": np.array(CORRUPTIONS),
        "meta_classes": np.array(CLASSES),
        "meta_exclusive": np.array(exclusive),
        "meta_thresholds": np.array([0.4, 0.5, 0.62], np.float32),
    }


def prompted() -> dict[str, np.ndarray]:
    """The same for zero-shot, with three prompts a class."""
    predictions = labelled(exclusive=True)
    del predictions["meta_thresholds"]
    owner = np.repeat(np.arange(3), 3)
    noise = np.random.default_rng(1).normal(0, 0.6, (SAMPLES, 9))
    similarity = (predictions["target"][:, owner] + noise).round(2).astype(np.float32)
    return {
        **predictions,
        "prompt_score": similarity,
        "prompt_standardised": similarity,
        "meta_prompt_class": owner,
    }


def ranked() -> dict[str, np.ndarray]:
    """Ranks with halves, as ties give them, and whether the ten best are of the same class."""
    random, predictions = np.random.default_rng(2), {}
    for direction in ("image_to_text", "text_to_image"):
        predictions[f"{direction}_rank"] = random.integers(2, 40, SAMPLES) / 2
        predictions[f"{direction}_ties"] = random.integers(0, 3, SAMPLES)
        predictions[f"{direction}_match"] = random.random((SAMPLES, 10)) < 0.3
    return {"id": np.arange(SAMPLES), **predictions}


def masks() -> dict[str, np.ndarray]:
    """Pixel counts; images without foreground, found empty and not."""
    random = np.random.default_rng(3)
    counts = random.integers(0, 200, (4, SAMPLES))
    counts[0, ::4] = counts[2, ::4] = 0
    counts[1, ::8] = 0
    return dict(zip(("tp", "fp", "fn", "tn"), counts, strict=True))


def boxes() -> dict[str, np.ndarray]:
    """Of two classes, 150 boxes for one image: more than MAX_DETECTIONS; the last image holds nothing."""
    random = np.random.default_rng(4)
    sample = np.repeat(np.arange(8), [150, 20, 12, 4, 0, 3, 9, 0])
    truth_sample = np.repeat(np.arange(8), [6, 4, 0, 2, 2, 1, 3, 0])
    corner = random.integers(0, 60, (len(truth_sample), 2))
    truth = np.concatenate([corner, corner + random.integers(15, 40, corner.shape)], 1).astype(np.float32)
    chosen = random.integers(0, len(truth), len(sample))
    of_image = [np.flatnonzero(truth_sample == image) for image in sample]
    chosen = np.array([own[k % len(own)] if len(own) else k for own, k in zip(of_image, chosen, strict=True)])
    box = truth[chosen] + random.normal(0, 4, (len(sample), 4)).round(1).astype(np.float32)
    box[:, 2:] = np.maximum(box[:, 2:], box[:, :2] + 1)
    return {
        "id": np.arange(8),
        "meta_classes": np.array(("opacity", "object")),
        "flat_sample": sample,
        "flat_box": box,
        "flat_score": random.random(len(sample)).astype(np.float32),
        "flat_label": random.integers(0, 2, len(sample)),
        "truth_sample": truth_sample,
        "truth_box": truth,
        "truth_label": random.integers(0, 2, len(truth)),
    }


def maps() -> dict[str, np.ndarray]:
    """Maps that see their region through noise, coarse ones with ties; one region fills its image."""
    random, found = np.random.default_rng(5), []
    for n in range(12):
        x, y, width, height = (int(v) for v in random.integers(2, 10, 4))
        box = np.array([[x, y, x + width, y + height]]) if n else np.array([[0, 0, 24, 20]])
        region = np.zeros((20, 24), bool)
        region[box[0, 1] : box[0, 3], box[0, 0] : box[0, 2]] = True
        heat = (region + random.normal(0, 0.5, region.shape)).round(n % 3).astype(np.float32)
        heat[: n % 2] = np.nan
        found.append(grounding.Grounded(heat, region, box))
    by_name = grounding.of_phrases(found, grounding.METRICS)
    # the region of each image under the map of the next one
    moved = [one._replace(heat=found[n - 1].heat) for n, one in enumerate(found)]
    other = grounding.of_phrases(moved, ("pixel_auroc",))["pixel_auroc"]
    return {
        "id": np.arange(12),
        "category": np.array(["opacity", "object", ""] * 4),
        "meta_classes": np.array(["object", "opacity"]),
        **by_name,
        grounding.PHRASE_GAIN: grounding.phrase_gain(by_name["pixel_auroc"], other),
    }


PLANTED = {
    "zero_shot": prompted,
    "retrieval": ranked,
    "segmentation": masks,
    "detection": boxes,
    "grounding": maps,
}


def scored(task: str, metric: str, folder: Path) -> Numbers:
    planted = {}
    if task in PLANTED:
        planted["planted"] = PLANTED[task]()
    else:
        planted["exclusive"] = labelled(exclusive=True)
        if base(metric) not in EXCLUSIVE_ONLY:
            planted["multi-label"] = labelled(exclusive=False)
    return {name: TASKS.get(task)().score(predictions, (metric,)) for name, predictions in planted.items()}


OF_RUNS = ("classes_left_out",)
"""Metrics that say something of a run, not of its predictions: pinned with the runs of their task."""

CASES = [
    Case(f"{metric} of {task}", (f"metric {metric}", f"task {task}"), partial(scored, task, metric))
    for task in BY_TASK
    for metric in TASKS.get(task).metrics
    if base(metric) not in OF_RUNS
]
