"""mmengine metrics that collect the predictions of all images and compute this suite's metrics from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from prior_bench.data.manifest import Manifest
from prior_bench.metrics import detection, segmentation
from prior_bench.metrics.detections import Detections
from prior_bench.openmmlab.recipe import VALID_LOSS

NEEDS_PIXEL = "map_lovt"
"""The metric that depends on the size of a pixel of the input."""


class SegmentationCollector(BaseMetric):
    """Metric that counts true and false pixels per image at the size of the input, and keeps packed masks.

    Args:
        names: names of the metrics to compute.
        loss: function of logits [B, 1, S, S] and masks [B, S, S]. If given, the metrics contain
            ``minus_loss``, the negative mean over the images.
        of_batches: whether the metrics contain ``valid_loss`` instead, the mean of the losses of the batches.

    Attributes:
        rows: int [N], row of each image.
        counts: pixel counts of each image.
        predicted, true: uint8 [N, ceil(S * S / 8)], masks as packed bits.
        size: S.
        not_finite: number of logits that were NaN or infinite; the masks are background there.
    """

    default_prefix = ""

    def __init__(
        self,
        names: tuple[str, ...],
        loss: Callable[[Tensor, Tensor], Tensor] | None = None,
        of_batches: bool = False,
    ):
        super().__init__()
        self.names, self.loss, self.of_batches, self.not_finite = names, loss, of_batches, 0

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Add a batch of predictions."""
        loss = self._batch_loss(data_samples)
        for sample in data_samples:
            wrong = int((~torch.isfinite(sample["seg_logits"]["data"])).sum())
            masks = [sample[key]["data"][0].cpu().numpy() > 0.5 for key in ("pred_sem_seg", "gt_sem_seg")]
            packed = (np.packbits(mask) for mask in masks)
            of_batch = loss, 1 / len(data_samples)
            self.results.append((sample["row"], masks[0].shape[0], wrong, *of_batch, *packed))

    def placed(self, result: tuple, row: int) -> tuple:
        """Return the result of an image as that of a row."""
        return (row, *result[1:])

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Compute the metrics over all images."""
        rows, sizes, wrong, losses, shares, predicted, true = zip(*results, strict=True)
        self.rows, self.size, self.not_finite = np.asarray(rows), sizes[0], sum(wrong)
        self.predicted, self.true = np.stack(predicted), np.stack(true)
        self.counts = segmentation.count_packed(self.predicted, self.true, self.size**2)
        loss = {}
        if self.loss is not None and self.of_batches:
            loss = {VALID_LOSS: float(np.average(losses, weights=shares))}
        elif self.loss is not None:
            loss = {"minus_loss": -float(np.mean(losses))}
        return {**segmentation.score(self.counts, self.names), **loss}

    def _batch_loss(self, samples: Sequence[dict[str, Any]]) -> float:
        if self.loss is None:
            return 0.0
        logits, masks = (
            torch.stack([s[key]["data"] for s in samples]) for key in ("seg_logits", "gt_sem_seg")
        )
        return float(self.loss(logits, masks.squeeze(1).to(logits.device)))


class DetectionCollector(BaseMetric):
    """Metric that collects detections in pixels of the stored images, with the true boxes of the manifest.

    Args:
        manifest: the evaluated rows, all annotated.
        names: names of the metrics to compute.
        with_loss: whether the metrics contain ``valid_loss``, the mean of the losses of the batches.
        clips: whether detections end at the borders of the image.

    Attributes:
        found: all detections and true boxes.
    """

    default_prefix = ""

    def __init__(
        self, manifest: Manifest, names: tuple[str, ...], with_loss: bool = False, clips: bool = True
    ):
        super().__init__()
        self.manifest, self.names, self.with_loss, self.clips = manifest, names, with_loss, clips

    def process(self, data_batch: dict[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Add a batch of predictions."""
        for sample in data_samples:
            found = {key: value.cpu().numpy() for key, value in sample["pred_instances"].items()}
            boxes = np.asarray(sample["geometry"].to_original(found["bboxes"], self.clips), np.float32)
            loss = sample["batch_loss"] if self.with_loss else 0.0
            of_batch = loss, 1 / len(data_samples), sample["geometry"].pixel
            kept = boxes.reshape(-1, 4), found["scores"], found["labels"]
            self.results.append((sample["row"], *of_batch, *kept))

    def placed(self, result: tuple, row: int) -> tuple:
        """Return the result of an image as that of a row."""
        return (row, *result[1:])

    def compute_metrics(self, results: list[tuple]) -> dict[str, float]:
        """Compute the metrics over all images."""
        rows, losses, shares, pixels, boxes, scores, labels = zip(*results, strict=True)
        truth = [np.asarray(one, dtype=np.float32).reshape(-1, 5) for one in self.manifest.table["boxes"]]
        seen = set(rows)  # validation may leave out its last batch; its true boxes do not count then
        truth = [one if row in seen else one[:0] for row, one in enumerate(truth)]
        everything = np.concatenate(truth)
        self.found = Detections(
            images=len(self.manifest),
            classes=len(self.manifest.box_classes),
            sample=np.repeat(rows, [len(one) for one in scores]).astype(np.int64),
            box=np.concatenate(boxes),
            score=np.concatenate(scores).astype(np.float32),
            label=np.concatenate(labels).astype(np.int64),
            truth_sample=np.repeat(np.arange(len(truth)), [len(one) for one in truth]),
            truth_box=everything[:, :4],
            truth_label=everything[:, 4].astype(np.int64),
            pixel=self._of_all(rows, pixels) if NEEDS_PIXEL in self.names else None,
        )
        loss = {VALID_LOSS: float(np.average(losses, weights=shares))} if self.with_loss else {}
        return {**detection.score(self.found, self.names), **loss}

    def _of_all(self, rows: tuple[int, ...], pixels: tuple[tuple[float, float], ...]) -> np.ndarray:
        """Return the pixels of all rows, also of those that were left out."""
        found = np.ones((len(self.manifest), 2), np.float32)
        found[list(rows)] = pixels
        return found
