"""The schema of detection protocols."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from prior_bench.metrics import detection
from prior_bench.schema.base import (
    Count,
    Distinct,
    OneOf,
    Pair,
    Positive,
    Probability,
    Problems,
    Several,
    Share,
    Strict,
)
from prior_bench.schema.protocol import monitor_problems
from prior_bench.schema.transforms import Transform

from .training import TrainedProtocol

NARROWEST = 1 / 128
"""Factor for which YOLOv3's narrowest layer has one channel."""

Three = Field(min_length=3, max_length=3)


class YoloHead(Strict):
    """YOLOv3's neck and head on maps with strides 8, 16 and 32."""

    type: Literal["yolov3", "yolov3_mgca", "yolov3_lovt"] = "yolov3"
    """The detector: YOLOv3 with MMDetection's targets and losses, or with those of MGCA's or LoVT's code."""
    width: Annotated[Positive, Field(ge=NARROWEST, le=16)]
    """Factor for YOLOv3's channels."""
    anchors: Annotated[Several[Annotated[Several[Pair[Positive]], Three]], Three] | None = None
    """Three anchors (width, height in input pixels) for each of three maps, coarsest first.

    The default is COCO's anchors times size / 416, as in MGCA.
    """


class DetectionOptions(Strict):
    """Options of detection."""

    confidence: Probability
    """Smallest objectness of a prediction."""
    nms_iou: Share
    """Overlap (IoU) above which the box with the lower score is dropped."""
    max_boxes: Count
    """Largest number of boxes per image."""
    heads: Count = 1
    """Number of detectors, each from its own seed, that are trained and tested on the same images.

    The metrics are averages over them: a single detector's result depends much on its seed.
    """


class DetectionTransform(Transform):
    """The preparation of images and boxes."""

    boxes: Literal["clipped", "whole"] = "clipped"
    """Whether boxes end at the borders of the input, and those that show less than a pixel are left out, or
    all stay as they are (LoVT)."""


class DetectionProtocol(TrainedProtocol):
    """Object detection by YOLOv3 on the backbone."""

    transform: DetectionTransform = DetectionTransform()
    """The preparation of images and boxes."""

    head: YoloHead
    """The detector."""
    metrics: Annotated[
        Distinct[Annotated[str, OneOf("metric", lambda: detection.METRICS)]], Field(min_length=1)
    ]
    """Names of the metrics, the primary one first; ``stopping.monitor`` is one of them."""
    options: DetectionOptions
    """Options of the task."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = Problems()
        monitor_problems(self.stopping, self.metrics, problems)
        problems.raise_any()
        return self
