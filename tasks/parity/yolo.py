"""Anchors, targets, loss, decoding, suppression and metric of detection, through the model of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.structures import InstanceData
from torch import Tensor

from prior_bench.api import Protocol
from prior_bench.metrics import detection
from prior_bench.metrics.detections import Detections
from prior_bench.protocol_parity.ingredients import Values

from .dense_heads import build
from .dense_planted import wave

CHANNELS = (4, 6, 8)


def anchors(protocol: Protocol, given: Values) -> Values:
    """Return widths and heights in pixels of the input, and the strides, coarsest level first."""
    priors = _head(protocol).prior_generator
    return {"anchors": priors.base_sizes, "strides": [stride[0] for stride in priors.strides]}


def assigned_targets(protocol: Protocol, given: Values) -> Values:
    """Return the anchors (image, anchor, row, column) that learn a box, with what, and those not negative."""
    head, side = _head(protocol), protocol.transform["input"]["size"]
    boxes = _true(given)
    labels = [torch.zeros(len(one), dtype=torch.long) for one in boxes]
    found: Values = {}
    for level, stride in enumerate(head.featmap_strides):
        made = head.targets(level, boxes, labels, (side // stride, side // stride))
        found[f"positive_{level}"] = made.positive.nonzero().tolist()
        found[f"not_negative_{level}"] = (made.negative == 0).nonzero().tolist()
        found[f"box_{level}"] = made.box[made.positive > 0].tolist()
    return found


def loss(protocol: Protocol, given: Values) -> Values:
    """Compute the losses of planted outputs for given boxes, and the gradient by channel."""
    head, outputs = _head(protocol), _outputs(protocol)
    truth = []
    for boxes in _true(given):
        truth.append(InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.long)))
    losses = head.loss_by_feat(outputs, truth, [{} for _ in truth])
    total = sum(losses.values())
    total.backward()
    gradients = [output.grad for output in outputs if output.grad is not None]
    return {
        "value": total.item(),
        **{name: value.item() for name, value in losses.items()},
        "gradient": [gradient.abs().sum(dim=(0, 2, 3)).tolist() for gradient in gradients],
        "largest": [float(gradient.abs().max()) for gradient in gradients],
    }


def decoding(protocol: Protocol, given: Values) -> Values:
    """Turn planted outputs to boxes and confidences, some of each level."""
    head = _head(protocol)
    levels = [head.decode(level, one.detach()) for level, one in enumerate(_outputs(protocol))]
    found: Values = {"counts": [one.shape[1] for one in levels]}
    for level, one in enumerate(levels):
        found[f"boxes_{level}"] = one[:, :: max(1, one.shape[1] // given["every"])].tolist()
    return found


def suppression(protocol: Protocol, given: Values) -> Values:
    """Keep boxes of given predictions (centre, size, objectness, class)."""
    head = _head(protocol)
    predictions = torch.tensor(given["predictions"])
    centre, half = predictions[..., :2], predictions[..., 2:4] / 2
    decoded = torch.cat([centre - half, centre + half, predictions[..., 4:]], dim=-1)
    kept = head.kept(decoded)
    return {
        "count": [len(one) for one in kept],
        "boxes": kept[0].bboxes.tolist(),
        "scores": kept[0].scores.tolist(),
        "labels": kept[0].labels.tolist(),
    }


def metric(protocol: Protocol, given: Values) -> Values:
    """Score given boxes of some images by the first metric of the protocol."""
    found = [np.asarray(one or np.zeros((0, 5))).reshape(-1, 5) for one in given["predicted"]]
    true = [np.asarray(one).reshape(-1, 4) for one in given["true"]]
    predicted = np.concatenate(found)
    scene = Detections(
        images=len(true),
        classes=1,
        sample=np.repeat(np.arange(len(true)), [len(one) for one in found]),
        box=predicted[:, :4],
        score=predicted[:, 4],
        label=np.zeros(len(predicted), dtype=np.int64),
        truth_sample=np.repeat(np.arange(len(true)), [len(one) for one in true]),
        truth_box=np.concatenate(true),
        truth_label=np.zeros(sum(map(len, true)), dtype=np.int64),
    )
    name = protocol.metrics[0]
    return {"map": detection.score(scene, (name,))[name]}


def _head(protocol: Protocol) -> Any:
    return build(protocol, CHANNELS).bbox_head


def _true(given: Values) -> list[Tensor]:
    return [torch.tensor(one).reshape(-1, 4) for one in given["true"]]


def _outputs(protocol: Protocol) -> list[Tensor]:
    side = protocol.transform["input"]["size"]
    return [(wave(2, 18, n, n, start=n) * 2).requires_grad_() for n in (side // 32, side // 16, side // 8)]
