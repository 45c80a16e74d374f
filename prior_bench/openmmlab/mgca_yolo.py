"""YOLOv3 as MGCA and LoVT train it: mmdet's layers, other targets, losses, initial weights, suppression.

Source: mgca/utils/yolo_loss.py and mgca/models/ssl_detector.py of HKU-MedAI/MGCA.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from mmcv.ops import nms
from mmdet.models.dense_heads import YOLOV3Head
from mmdet.models.necks import YOLOV3Neck
from mmengine.registry import MODELS
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torch.nn import functional

IGNORED_ABOVE = 0.5
"""Overlap with a true box above which an anchor of its cell is no negative."""
BOX_WEIGHT = 2.5
"""Weight of each of the four losses of a box."""
SMALLEST = 1e-16
"""Added to the relative sides of a box, which may have no width."""
NEGATIVE_WEIGHT = 0.5
"""Weight of the confidence loss of negatives."""


class Targets(NamedTuple):
    """What each anchor of one level learns; N images, A anchors per cell, H x W cells.

    Attributes:
        positive: float [N, A, H, W], 1 where an anchor learns a box.
        negative: float [N, A, H, W], 1 where an anchor learns that there is none; an anchor can be both.
        box: float [N, A, H, W, 4]: place of the centre within its cell, and log of width and height over
            those of the anchor.
        label: float [N, A, H, W, classes], one-hot.
    """

    positive: Tensor
    negative: Tensor
    box: Tensor
    label: Tensor


@MODELS.register_module()
class MgcaYoloNeck(YOLOV3Neck):
    """mmdet's neck with PyTorch's default initial weights."""

    def init_weights(self) -> None:
        """Draw all weights by PyTorch's defaults."""
        reset(self)


@MODELS.register_module()
class MgcaYoloHead(YOLOV3Head):
    """mmdet's YOLOv3 head with MGCA's targets and losses.

    Every level learns every box, by the anchor of that level that fits best; YOLOv3 chooses one anchor of all
    levels. Losses are means over all anchors of a level, so that a coarse level counts as much as a fine one;
    mmdet sums. A confidence is the objectness alone.

    Attributes:
        learns_one_class: whether a single class is learnt, too.
    """

    learns_one_class = True

    def init_weights(self) -> None:
        """Draw all weights by PyTorch's defaults."""
        reset(self)

    def targets(self, level: int, boxes: Sequence[Tensor], labels: Sequence[Tensor], size: Any) -> Targets:
        """Assign true boxes to the anchors of a level.

        Args:
            level: index of the level, coarsest first.
            boxes: of each image, float [n, 4], x1, y1, x2, y2 in pixels of the input.
            labels: of each image, int [n].
            size: (height, width) of the level's map.
        """
        stride = self.featmap_strides[level]
        device = boxes[0].device
        anchors = torch.as_tensor(self.prior_generator.base_sizes[level], device=device) / stride
        shape = (len(boxes), len(anchors), *size)
        made = Targets(
            torch.zeros(shape, device=device),
            torch.ones(shape, device=device),
            torch.zeros(*shape, 4, device=device),
            torch.zeros(*shape, self.num_classes, device=device),
        )
        for image, (corners, classes) in enumerate(zip(boxes, labels, strict=True)):
            for (x1, y1, x2, y2), label in zip((corners / stride).tolist(), classes.tolist(), strict=True):
                centre, sides = ((x1 + x2) / 2, (y1 + y2) / 2), corners.new_tensor((x2 - x1, y2 - y1))
                column, row = min(int(centre[0]), size[1] - 1), min(int(centre[1]), size[0] - 1)
                overlap = _overlap(sides, anchors)
                made.negative[image, overlap > IGNORED_ABOVE, row, column] = 0
                best = int(overlap.argmax())
                made.positive[image, best, row, column] = 1
                place = corners.new_tensor((centre[0] - column, centre[1] - row))
                made.box[image, best, row, column] = torch.cat(
                    [place, (sides / anchors[best] + SMALLEST).log()]
                )
                made.label[image, best, row, column, label] = 1
        return made

    def loss_by_feat(
        self,
        pred_maps: Sequence[Tensor],
        batch_gt_instances: Sequence[InstanceData],
        batch_img_metas: Sequence[dict[str, Any]],
        batch_gt_instances_ignore: Any = None,
    ) -> dict[str, Tensor]:
        """Compute the losses of maps [N, A * (5 + classes), H, W], coarsest first, summed over the levels."""
        boxes = [one.bboxes for one in batch_gt_instances]
        labels = [one.labels for one in batch_gt_instances]
        terms: dict[str, list[Tensor]] = {"loss_xy": [], "loss_wh": [], "loss_conf": [], "loss_cls": []}
        for level, found in enumerate(pred_maps):
            made, values = self.targets(level, boxes, labels, found.shape[-2:]), self._split(found)
            share = made.positive.mean()  # BCE and squares are 0 elsewhere, and count in the mean
            at = made.positive > 0
            if at.any():
                place, sides = values[at][:, :2], values[at][:, 2:4]
                entropy = functional.binary_cross_entropy_with_logits(place, made.box[at][:, :2])
                terms["loss_xy"].append(2 * BOX_WEIGHT * share * entropy)
                terms["loss_wh"].append(
                    2 * BOX_WEIGHT * share * functional.mse_loss(sides, made.box[at][:, 2:])
                )
                if self.num_classes > 1 or self.learns_one_class:
                    entropy = functional.binary_cross_entropy_with_logits(values[at][:, 5:], made.label[at])
                    terms["loss_cls"].append(share * entropy)
            confidence = values[..., 4]
            positive = made.positive * functional.softplus(-confidence)
            negative = made.negative * functional.softplus(confidence)
            terms["loss_conf"].append(positive.mean() + NEGATIVE_WEIGHT * negative.mean())
        return {name: sum(values, pred_maps[0].new_zeros(())) for name, values in terms.items()}

    def predict_by_feat(
        self,
        pred_maps: Sequence[Tensor],
        batch_img_metas: Sequence[dict[str, Any]],
        cfg: Any = None,
        rescale: bool = False,
        with_nms: bool = True,
    ) -> list[InstanceData]:
        """Return boxes by decreasing objectness after MGCA's threshold and suppression, which is by class."""
        every = torch.cat([self.decode(level, found) for level, found in enumerate(pred_maps)], dim=1)
        return self.kept(every)

    def kept(self, decoded: Tensor) -> list[InstanceData]:
        """Threshold and suppress decoded boxes [N, anchors, 5 + classes] (see :meth:`decode`)."""
        return [self._suppressed(one[one[:, 4] >= self.test_cfg.conf_thr], self.test_cfg) for one in decoded]

    def decode(self, level: int, found: Tensor) -> Tensor:
        """Turn the map of a level into boxes [N, A * H * W, 5 + classes]: corners, objectness, classes."""
        stride, values = self.featmap_strides[level], self._split(found)
        anchors = torch.as_tensor(self.prior_generator.base_sizes[level], device=found.device)
        rows, columns = (torch.arange(side, device=found.device) for side in found.shape[-2:])
        cells = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1)
        centre = (values[..., :2].sigmoid() + cells) * stride
        half = values[..., 2:4].exp() * anchors[:, None, None] / 2
        made = torch.cat([centre - half, centre + half, values[..., 4:].sigmoid()], dim=-1)
        return made.flatten(1, 3)

    def _split(self, found: Tensor) -> Tensor:
        """Return a map [N, A * (5 + classes), H, W] as [N, A, H, W, 5 + classes]."""
        return found.unflatten(1, (self.num_base_priors, self.num_attrib)).permute(0, 1, 3, 4, 2)

    def _suppressed(self, found: Tensor, cfg: Any) -> InstanceData:
        label, kept = found[:, 5:].argmax(dim=1), []
        for one in label.unique():
            rows = torch.nonzero(label == one)[:, 0]
            _, order = nms(
                found[rows, :4].contiguous(), found[rows, 4].contiguous(), cfg.nms.iou_threshold, offset=1
            )
            kept.append(rows[order])
        rows = torch.cat(kept) if kept else label
        rows = rows[found[rows, 4].argsort(descending=True, stable=True)][: cfg.max_per_img]
        return InstanceData(bboxes=found[rows, :4], scores=found[rows, 4], labels=label[rows])


@MODELS.register_module()
class LovtYoloHead(MgcaYoloHead):
    """LoVT's head (src/models/downstream/detection.py): MGCA's without a loss of a single class."""

    learns_one_class = False


def reset(module: nn.Module) -> None:
    """Draw the weights of all layers by PyTorch's defaults."""
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            layer.reset_parameters()


def _overlap(sides: Tensor, anchors: Tensor) -> Tensor:
    """Return the IoU of a box with anchors [A, 2] at the same corner, each side one cell too long."""
    inside = (torch.minimum(sides, anchors) + 1).prod(dim=1)
    return inside / ((sides + 1).prod() + (anchors + 1).prod(dim=1) - inside)
