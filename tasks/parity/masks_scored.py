"""From logits to scores in segmentation protocols, through the model and the collector of a run."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from prior_bench.api import Protocol
from prior_bench.openmmlab.collectors import SegmentationCollector
from prior_bench.openmmlab.datasets import mask_sample
from prior_bench.openmmlab.recipe import VALID_LOSS
from prior_bench.openmmlab.segmentor import training_loss
from prior_bench.protocol_parity.ingredients import Values

from .dense_heads import build
from .dense_planted import wave


def post_processing(protocol: Protocol, given: Values) -> Values:
    """Turn logits of single pixels to masks; for two outputs, the background's logit is 0."""
    logits = torch.tensor(given["logits"])
    collector = _collected(protocol, logits[:, None, None], torch.zeros(len(logits), 1, 1))
    targets = torch.tensor(given["target"])
    of_targets = _collected(protocol, torch.ones(len(targets), 1, 1), targets[:, None, None])
    return {
        "foreground": (collector.counts.tp + collector.counts.fp).tolist(),
        "target_foreground": of_targets.counts.tp.tolist(),
    }


def metric(protocol: Protocol, given: Values) -> Values:
    """Score planted logits of so many images, and compute the validation loss of the first (or of both)."""
    names = ("dice", "dice_with_a_short_last_batch")
    found = {}
    for name, count in zip(names, given["images"], strict=True):
        logits, target = planted(count, given["side"])
        collector = _collected(protocol, logits, target)
        found[name] = collector.compute_metrics(collector.results)[protocol.metrics[0]]
        if collector.of_batches:
            found[f"loss_of_{name}"] = collector.compute_metrics(collector.results)[VALID_LOSS]
        elif collector.loss is not None:
            found.setdefault("loss", -collector.compute_metrics(collector.results)["minus_loss"])
    return found


def planted(count: int, side: int) -> tuple[Tensor, Tensor]:
    """Return logits and masks [count, side, side]: a third is empty, and half of those are found empty."""
    logits = wave(count, side, side) * 3
    target = (wave(count, side, side, start=500) > 0.2).float()
    target[::3], logits[::6] = 0, -3
    target[1::4] *= 0.5  # one half is background
    return logits, target


def _collected(protocol: Protocol, logits: Tensor, target: Tensor) -> SegmentationCollector:
    outputs = protocol.head.get("outputs", 1)
    both = torch.stack([torch.zeros_like(logits), logits], dim=1) if outputs == 2 else logits[:, None]
    model: Any = build(protocol, (4,) * len(protocol.head["strides"]))
    soft = protocol.transform.get("masks") == "area"
    masks = target if soft and outputs == 1 else (target > 0.5).long()
    samples = [mask_sample(mask, row) for row, mask in enumerate(masks)]
    model.postprocess_result(both, samples)
    loss = training_loss(protocol) if outputs == 1 else None
    of_batches = protocol.optimizer.get("plateau_on") == VALID_LOSS
    collector = SegmentationCollector(protocol.metrics, loss, of_batches)
    for first in range(0, len(samples), protocol.batch_size):
        batch = samples[first : first + protocol.batch_size]
        collector.process({}, [sample.to_dict() for sample in batch])
    collector.compute_metrics(collector.results)
    return collector
