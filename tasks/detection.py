"""Object detection by YOLOv3 on the backbone, with MMDetection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from prior_bench.api import Backbone, Protocol, RunContext, TaskResult, Work
from prior_bench.data.manifest import Manifest
from prior_bench.errors import ErrorList
from prior_bench.metrics import defined, detections, resampled_detection
from prior_bench.metrics import detection as metrics
from prior_bench.openmmlab.checks import annotation_problems
from prior_bench.suites import work

from .protocols.detection import DetectionProtocol


class Detection:
    """Detection of boxes of one or more classes, evaluated in pixels of the stored images, with negatives."""

    name = "detection"
    needs_text = False
    needs = ("boxes",)
    version = 1
    machinery = ("images", "eval_transform", "train_transform", "annotations", "fractions", "openmmlab")
    metrics = metrics.DESCRIBED
    default_protocol = "clean/detection_frozen"
    uses_labels = True
    galleries = ("detection",)
    needs_maps = True
    protocol_model = DetectionProtocol

    def check(self, data: Manifest, protocol: Protocol) -> None:
        """Check that every split has boxes, and that the protocol is correct.

        Raises:
            BenchError: there are errors; all are reported together.
        """
        _, errors = DetectionProtocol.attempt(protocol)
        if errors := errors + annotation_problems(data, "boxes"):
            raise ErrorList(f"detection with protocol '{protocol.name}' cannot run:", errors, where=data.name)

    def run(self, backbone: Backbone, data: Manifest, protocol: Protocol, context: RunContext) -> TaskResult:
        """Train each detector, select its weights on the validation split, and test them once.

        The history is that of the first detector.
        """
        from prior_bench.data.images.transforms import dense_transform
        from prior_bench.features.extract import Feed
        from prior_bench.openmmlab import dense
        from prior_bench.openmmlab.collectors import DetectionCollector
        from prior_bench.openmmlab.datasets import DetectionDataset
        from prior_bench.openmmlab.detector import STRIDES, build_detector
        from prior_bench.openmmlab.recipe import VALID_LOSS
        from prior_bench.openmmlab.runner import train_and_test

        splits = dense.annotated_splits(data, "boxes", protocol, context)
        augmentation = {"train": protocol.transform.get("train")}
        feed = Feed.of(backbone, protocol)
        datasets = {
            name: DetectionDataset(
                rows,
                dense_transform(feed.input, augmentation.get(name), **box_options(protocol)),
                data.box_classes,
                feed.input,
            )
            for name, rows in splits.items()
        }
        config, channels, sources = dense.attach(backbone, datasets, STRIDES, protocol, context)
        with_loss = protocol.optimizer.get("plateau_on") == VALID_LOSS
        clips = protocol.transform.get("boxes") != "whole"
        histories, heads = [], []
        for of_head in head_contexts(context, DetectionProtocol.of(protocol).options.heads):
            collectors = {
                "valid": DetectionCollector(splits["valid"], protocol.metrics, with_loss, clips),
                "test": DetectionCollector(splits["test"], protocol.metrics, clips=clips),
            }
            histories.append(
                train_and_test(
                    lambda: build_detector(
                        config, channels, len(data.box_classes), feed.input.size, protocol
                    ),
                    sources,
                    collectors,
                    protocol,
                    of_head,
                )
            )
            heads.append(collectors["test"].found)
        found, table = detections.joined(heads), splits["test"].table
        predictions = {
            "id": table["id"].to_numpy(dtype=str),
            "patient_id": table["patient_id"].to_numpy(dtype=str),
            "flat_sample": found.sample,
            "flat_box": found.box,
            "flat_score": found.score,
            "flat_label": found.label,
            **({} if len(heads) == 1 else detections.head_arrays(heads)),
            **({} if found.pixel is None else {"pixel": found.pixel}),
            "truth_sample": found.truth_sample,
            "truth_box": found.truth_box,
            "truth_label": found.truth_label,
            "meta_classes": np.asarray(data.box_classes, dtype=str),
        }
        nothing = found.keep(
            np.zeros(len(found.sample), dtype=bool), np.ones(len(found.truth_sample), dtype=bool)
        )
        unmet = [] if len(found.truth_box) else ["boxes"]
        values = self.score(predictions, protocol.metrics)
        undefined = defined.undefined(protocol.metrics, values, self.metrics, unmet)
        return TaskResult(
            metrics=defined.kept(values, undefined),
            predictions=predictions,
            split=dense.used_split(data, splits),
            trivial={"all_empty": defined.kept(metrics.score(nothing, protocol.metrics), undefined)},
            history=histories[0],
            undefined=undefined,
        )

    def estimate(self, protocol: Protocol, sizes: tuple[int, int, int], fraction: float) -> Work | None:
        """Return the work: the images of every epoch, for each detector."""
        heads = DetectionProtocol.of(protocol).options.heads
        return work.times(work.of_training(protocol, sizes, fraction), heads)

    def score(self, predictions: dict[str, np.ndarray], names: tuple[str, ...]) -> dict[str, float]:
        """Compute the given metrics from the boxes, averaged over the detectors."""
        of_heads = [metrics.score(found, names) for found in detections.of_heads(predictions)]
        return {name: float(np.mean([one[name] for one in of_heads])) for name in names}

    def score_resamples(
        self, predictions: dict[str, np.ndarray], metrics: tuple[str, ...], counts: np.ndarray
    ) -> dict[str, np.ndarray] | None:
        """Compute the metrics on resamples; see :class:`prior_bench.api.Task`."""
        of_heads = []
        for found in detections.of_heads(predictions):
            values = resampled_detection.evaluate(found, metrics, counts)
            if values is None:
                return None
            of_heads.append(values)
        return {name: np.mean([one[name] for one in of_heads], axis=0) for name in metrics}


def box_options(protocol: Protocol) -> dict[str, str]:
    """Return the arguments of ``dense_transform`` that concern boxes, where a protocol has them."""
    return {name: protocol.transform[name] for name in ("boxes",) if name in protocol.transform}


def head_contexts(context: RunContext, heads: int) -> list[RunContext]:
    """One context for each detector: its own seed and folder; the first has those of the run."""
    others = [
        replace(
            context,
            seed=int(np.random.SeedSequence([context.seed, head]).generate_state(1)[0]),
            work_dir=context.work_dir / f"head_{head}",
        )
        for head in range(1, heads)
    ]
    return [context, *others]
