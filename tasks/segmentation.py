"""Semantic segmentation by a decoder on the backbone, with MMSegmentation."""

from __future__ import annotations

from typing import Any

import numpy as np

from prior_bench.api import Backbone, Protocol, RunContext, TaskResult, Work
from prior_bench.api.finite_scores import FIX
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError, ErrorList
from prior_bench.metrics import defined
from prior_bench.metrics import segmentation as metrics
from prior_bench.openmmlab.checks import annotation_problems
from prior_bench.suites import work

from .protocols.segmentation import SegmentationProtocol

EXAMPLES = 48
"""Largest number of test images whose masks are stored for the report."""


class Segmentation:
    """Segmentation of foreground and background, evaluated at the size of the input.

    For the protocol, see :mod:`tasks.protocols.segmentation`; for its ``head``, see
    :func:`prior_bench.openmmlab.segmentor.build_segmentor`.
    """

    name = "segmentation"
    needs_text = False
    needs = ("masks",)
    version = 1
    machinery = ("images", "eval_transform", "train_transform", "annotations", "fractions", "openmmlab")
    metrics = metrics.DESCRIBED
    default_protocol = "clean/segmentation_frozen"
    uses_labels = True
    galleries = ("segmentation",)
    needs_maps = True
    protocol_model = SegmentationProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Check that every split has masks, and that the protocol is correct.

        Raises:
            BenchError: there are errors; all are reported together.
        """
        _, errors = SegmentationProtocol.attempt(protocol)
        if errors := errors + annotation_problems(data, "masks"):
            raise ErrorList(
                f"segmentation with protocol '{protocol.name}' cannot run:", errors, where=data.name
            )

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Train the decoder, select its weights on the validation split, and test them once."""
        from prior_bench.data.images.transforms import dense_transform
        from prior_bench.features.extract import Feed
        from prior_bench.openmmlab import dense
        from prior_bench.openmmlab.collectors import SegmentationCollector
        from prior_bench.openmmlab.datasets import SegmentationDataset
        from prior_bench.openmmlab.recipe import VALID_LOSS
        from prior_bench.openmmlab.runner import train_and_test
        from prior_bench.openmmlab.segmentor import build_segmentor, training_loss

        splits = dense.annotated_splits(data, "mask", protocol, context)
        augmentation = {"train": protocol.transform.get("train")}
        feed = Feed.of(backbone, protocol)
        how = mask_options(protocol)
        datasets = {
            name: SegmentationDataset(
                rows, dense_transform(feed.input, augmentation.get(name), **how), ("foreground",)
            )
            for name, rows in splits.items()
        }
        strides = tuple(protocol.head["strides"])
        config, channels, sources = dense.attach(backbone, datasets, strides, protocol, context)
        of_batches = protocol.optimizer.get("plateau_on") == VALID_LOSS
        monitored = of_batches or protocol.stopping["monitor"] == "minus_loss"
        loss = training_loss(protocol) if monitored else None
        collectors = {
            "valid": SegmentationCollector(protocol.metrics, loss, of_batches),
            "test": SegmentationCollector(protocol.metrics),
        }
        history = train_and_test(
            lambda: build_segmentor(config, channels, protocol), sources, collectors, protocol, context
        )
        test = collectors["test"]
        if test.not_finite:
            what = f"{test.not_finite:,} logits of the trained decoder are not finite"
            raise BenchError(what, where=backbone.name, fix=FIX)
        table = splits["test"].table.iloc[test.rows]
        predictions = {
            "id": table["id"].to_numpy(dtype=str),
            "patient_id": table["patient_id"].to_numpy(dtype=str),
            **test.counts._asdict(),
            "meta_size": np.asarray(test.size),
            **_examples(test, context.seed),
        }
        unmet = [] if (test.counts.tp + test.counts.fn).any() else ["foreground"]
        values = self.score(predictions, protocol.metrics)
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        trivial = metrics.trivial(test.counts, protocol.metrics)
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split=dense.used_split(data, splits),
            trivial={kind: defined.kept(found, undefined) for kind, found in trivial.items()},
            history=history,
            undefined=undefined,
        )

    def versions(self, protocol: Protocol) -> dict[str, int]:
        """The version of the monitored loss, if it is used: 1 took probabilities for logits."""
        return {"minus_loss": 2} if protocol.stopping.get("monitor") == "minus_loss" else {}

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """Return the work: the images of every epoch, for a trained decoder."""
        return work.of_training(protocol, sizes, fraction)

    def score(self, predictions: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, float]:
        """Compute the given metrics from the pixel counts of each image."""
        return metrics.score(metrics.Counts(*(predictions[key] for key in metrics.Counts._fields)), names)


def mask_options(protocol: Protocol) -> dict[str, str]:
    """Return the arguments of ``dense_transform`` that concern masks, where a protocol has them."""
    return {name: protocol.transform[name] for name in ("masks", "augment") if name in protocol.transform}


def _examples(test: Any, seed: int) -> dict[str, np.ndarray]:
    """Select masks of images with the best, median and worst Dice, and of random images."""
    counts, share = test.counts, EXAMPLES // 4
    positive = np.flatnonzero(counts.tp + counts.fn)
    dice = 2 * counts.tp / np.maximum(2 * counts.tp + counts.fp + counts.fn, 1)
    order = positive[np.argsort(dice[positive], kind="stable")]
    middle = max(len(order) // 2 - share // 2, 0)
    drawn = np.random.default_rng(seed).permutation(len(dice))[:share]
    rows = np.unique(np.concatenate([order[:share], order[middle : middle + share], order[-share:], drawn]))
    return {
        "example_row": rows,
        "example_prediction": test.predicted[rows],
        "example_target": test.true[rows],
    }
