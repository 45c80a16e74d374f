"""Classifiers trained with mmengine's Runner: fine-tuning, and linear heads as in the papers."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from torch import nn
from torch.utils.data import ConcatDataset, Dataset

from prior_bench.api import Backbone, Protocol, RunContext
from prior_bench.data.images.transforms import eval_transform, train_transform
from prior_bench.data.manifest import Manifest
from prior_bench.features.extract import Feed, extract
from prior_bench.metrics.classification import evaluate
from prior_bench.openmmlab.runner import train_and_test
from prior_bench.probing.data import LabelledFeatures, LabelledImages
from prior_bench.probing.enlarged import side_for, with_enlargement
from prior_bench.probing.model import Classifier
from prior_bench.probing.outcome import ProbeOutcome


class Scores(BaseMetric):
    """Metric that collects the probabilities of all images, in order.

    Args:
        targets: [N, C], the labels of the same images.

    Attributes:
        score: float32 [N, C], set by an evaluation.
    """

    default_prefix = ""  # with None mmengine prints a warning

    def __init__(self, targets: np.ndarray, exclusive: bool):
        super().__init__()
        self.targets, self.exclusive = targets, exclusive

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Add a batch of predictions."""
        self.results.extend((sample["score"], float(sample["loss"])) for sample in data_samples)

    def compute_metrics(self, results: list[tuple[np.ndarray, float]]) -> dict[str, float]:
        """Compute the macro AUROC (NaN if undefined), the negative mean batch loss, and F1 of class 1."""
        scores, losses = zip(*results, strict=True)
        self.score = np.stack(scores)
        targets = self.targets[: len(scores)]  # a validation may leave out its last, incomplete batch
        names = tuple(str(c) for c in range(targets.shape[1]))
        wanted = ("auroc", "f1_class_1") if self.exclusive or len(names) == 1 else ("auroc",)
        values = evaluate(self.score, targets, names, wanted, exclusive=self.exclusive)
        return {"minus_loss": -float(np.mean(losses)), **{name: values[name] for name in wanted}}


def train_classifier(
    backbone: Backbone,
    parts: dict[str, Manifest],
    train_rows: np.ndarray,
    protocol: Protocol,
    context: RunContext,
) -> ProbeOutcome:
    """Train under a protocol, choose the weights on ``valid``, and predict ``valid`` and ``test``.

    The backbone is not modified; a copy is trained. If it is fully frozen and images are not augmented, its
    cached features are used instead. An interrupted call in the same ``work_dir`` is resumed.

    Args:
        parts: manifests of train, valid and test.
        train_rows: rows of ``train`` whose labels may be used.
        protocol: its fields ``frozen``, ``transform["train"]`` and ``head`` (see Classifier) are used, and
            those that :func:`prior_bench.openmmlab.runner.train_and_test` reads.
    """
    exclusive = parts["train"].exclusive
    cached = all(protocol.frozen.values()) and not protocol.transform.get("train")
    if cached:
        data = _features(backbone, parts, train_rows, protocol, context)
    else:
        data = _images(backbone, parts, train_rows, protocol)
    targets = {name: parts[name].targets() for name in ("valid", "test")}
    side = side_for(backbone, protocol.options.get("enlarge"))
    held_out = Scores(np.concatenate([targets["valid"], targets["test"]]), exclusive)

    def build() -> Classifier:
        return classifier(
            None if cached else with_enlargement(copy.deepcopy(backbone.image_encoder), side),
            backbone.image_encoder.dim,
            len(parts["train"].labels),
            exclusive=exclusive,
            protocol=protocol,
        )

    history = train_and_test(
        build,
        {**data, "test": ConcatDataset([data["valid"], data["test"]])},
        {"valid": Scores(targets["valid"], exclusive), "test": held_out},
        protocol,
        context,
    )
    valid, test = np.split(held_out.score, [len(parts["valid"])])
    return ProbeOutcome(valid, test, history)


def classifier(
    encoder: nn.Module | None, dim: int, classes: int, *, exclusive: bool, protocol: Protocol
) -> Classifier:
    """Return the model that a protocol trains; see Classifier for the arguments."""
    head = {key: value for key, value in protocol.head.items() if key != "type"}
    return Classifier(encoder, dim, classes, exclusive=exclusive, frozen=protocol.frozen, head=head)


def _features(
    backbone: Backbone,
    parts: dict[str, Manifest],
    train_rows: np.ndarray,
    protocol: Protocol,
    context: RunContext,
) -> dict[str, Dataset]:
    feed, stored = Feed.of(backbone, protocol), str(protocol.options.get("features", "float32"))
    data: dict[str, Dataset] = {}
    for name, part in parts.items():
        features = extract(backbone, part, context, feed=feed, stored=stored)
        targets = part.targets()
        # an array of all rows would copy them
        rows = train_rows if name == "train" and len(train_rows) < len(part) else slice(None)
        data[name] = LabelledFeatures(features[rows], targets[rows])
    return data


def _images(
    backbone: Backbone, parts: dict[str, Manifest], train_rows: np.ndarray, protocol: Protocol
) -> dict[str, Dataset]:
    feed = Feed.of(backbone, protocol)
    evaluated = eval_transform(feed.input, feed.steps)
    augmentation = protocol.transform.get("train")
    augmented = train_transform(feed.input, augmentation) if augmentation else evaluated
    return {
        "train": LabelledImages(parts["train"].select(train_rows), augmented),
        "valid": LabelledImages(parts["valid"], evaluated),
        "test": LabelledImages(parts["test"], evaluated),
    }
