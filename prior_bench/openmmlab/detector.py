"""Build the mmdet model of a detection protocol."""

from __future__ import annotations

from typing import Any

from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from torch import nn

from prior_bench.api import Protocol
from prior_bench.openmmlab import ops
from prior_bench.openmmlab.recipe import VALID_LOSS

STRIDES = (8, 16, 32)
"""Strides of the maps that YOLOv3 uses, finest first."""
COCO_ANCHORS = (
    ((116, 90), (156, 198), (373, 326)),
    ((30, 61), (62, 45), (59, 119)),
    ((10, 13), (16, 30), (33, 23)),
)
"""Anchors (width, height) of YOLOv3 at 416 pixels, coarsest map first (arXiv 1804.02767)."""

OWN_HEADS = {"yolov3_mgca": "MgcaYoloHead", "yolov3_lovt": "LovtYoloHead"}
"""Heads that are not mmdet's, by the type in a protocol."""


def build_detector(
    backbone: dict[str, Any], channels: tuple[int, ...], classes: int, size: int, protocol: Protocol
) -> nn.Module:
    """Build a YOLOv3 on a backbone's maps with strides 8, 16 and 32.

    Args:
        backbone: config of a registered backbone.
        channels: channels of its maps, finest first.
        classes: number of box classes.
        size: side of the input, in pixels.
        protocol: uses its ``head``: ``type`` (``"yolov3"``; ``"yolov3_mgca"`` or ``"yolov3_lovt"``, with
            their targets, losses and suppression: :mod:`prior_bench.openmmlab.mgca_yolo`), ``width`` (factor
            for YOLOv3's channels) and ``anchors`` (three times three (width, height) in pixels of the input,
            coarsest map first; by default COCO's times size / 416, as in MGCA); and its ``options`` for
            prediction: ``confidence`` (smallest objectness), ``nms_iou`` and ``max_boxes`` per image.
    """
    ops.install()
    import mmdet.models  # noqa: F401  registers
    from mmdet.registry import MODELS

    import prior_bench.openmmlab.backbone
    import prior_bench.openmmlab.mgca_yolo
    import prior_bench.openmmlab.scored_detector  # noqa: F401

    neck = [round(width * protocol.head["width"]) for width in (512, 256, 128)]
    strides = list(reversed(STRIDES))
    anchors = protocol.head.get("anchors")
    if anchors is None:
        anchors = [[(w * size / 416, h * size / 416) for w, h in level] for level in COCO_ANCHORS]
    head_type = OWN_HEADS.get(protocol.head.get("type", ""), "YOLOV3Head")
    config = dict(
        type="LossYOLOV3" if protocol.optimizer.get("plateau_on") == VALID_LOSS else "SharedYOLOV3",
        data_preprocessor=dict(type="StackInputs"),
        backbone=backbone,
        neck=dict(
            type="YOLOV3Neck" if head_type == "YOLOV3Head" else "MgcaYoloNeck",
            num_scales=3,
            in_channels=list(reversed(channels)),
            out_channels=neck,
        ),
        bbox_head=dict(
            type=head_type,
            num_classes=classes,
            in_channels=neck,
            out_channels=[2 * width for width in neck],
            anchor_generator=dict(type="YOLOAnchorGenerator", base_sizes=anchors, strides=strides),
            bbox_coder=dict(type="YOLOBBoxCoder"),
            featmap_strides=strides,
            loss_cls=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0, reduction="sum"),
            loss_conf=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=1.0, reduction="sum"),
            loss_xy=dict(type="CrossEntropyLoss", use_sigmoid=True, loss_weight=2.0, reduction="sum"),
            loss_wh=dict(type="MSELoss", loss_weight=2.0, reduction="sum"),
        ),
        train_cfg=dict(assigner=dict(type="GridAssigner", pos_iou_thr=0.5, neg_iou_thr=0.5, min_pos_iou=0)),
        test_cfg=ConfigDict(  # mmdet reads it by attribute
            nms_pre=1000,
            min_bbox_size=0,
            score_thr=0.0,
            conf_thr=protocol.options["confidence"],
            nms=dict(type="nms", iou_threshold=protocol.options["nms_iou"]),
            max_per_img=protocol.options["max_boxes"],
        ),
    )
    with DefaultScope.overwrite_default_scope("mmdet"):
        return MODELS.build(config)
