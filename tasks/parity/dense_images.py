"""Masks, boxes and training images of segmentation and detection, through the tasks' own data sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from prior_bench.api import InputSpec, Protocol
from prior_bench.data.annotations.boxes import boxes_of_sides
from prior_bench.data.annotations.masks import BoxMask, RleMask
from prior_bench.data.images.transforms import dense_transform
from prior_bench.data.manifest import Manifest
from prior_bench.data.readers import object_cxr
from prior_bench.features.extract import Feed
from prior_bench.openmmlab.datasets import DetectionDataset, SegmentationDataset
from prior_bench.protocol_parity.ingredients import Values

from ..detection import box_options
from ..segmentation import mask_options
from .data import data_options
from .dense_planted import picture, sketch

PARTS = 14
"""Parts of the rows and of the columns of which fixtures hold the means."""


def mask(protocol: Protocol, given: Values) -> Values:
    """Compute the mask of an annotation (``rle``, ``boxes`` or ``shapes``) in evaluation."""
    _, target = _segmented(protocol, given, None)
    return {"dtype_is_soft": _soft(target) > 0, "soft": _soft(target), **_foreground(target)}


def training_mask_and_image(protocol: Protocol, given: Values) -> Values:
    """Compute image and mask in training, with ``angle`` (counter-clockwise), ``scale`` or ``flip`` given."""
    steps = protocol.transform.get("train") or {}
    drawn: dict[str, Any] = {}
    if affine := steps.get("RandomAffine"):
        drawn |= {"angles": _both_ways(affine["degrees"]), "scales": affine["scale"], "p": affine["p"]}
        fixed = {"degrees": (-given["angle"],) * 2, "scale": (given["scale"],) * 2, "p": 1.0}
        steps = {**steps, "RandomAffine": {**affine, **fixed}}
    if flip := steps.get("RandomHorizontalFlip"):
        drawn |= {"p": flip["p"]}
        steps = {**steps, "RandomHorizontalFlip": {"p": float(given["flip"])}}
    image, target = _segmented(protocol, given, steps)
    return {
        **drawn,
        "random": bool(steps),
        "image": sketch(image[:1], PARTS),
        "mask": sketch(target, PARTS),
        "foreground": _foreground(target)["foreground"],
    }


def boxes(protocol: Protocol, given: Values) -> Values:
    """Compute the boxes of an annotation (``boxes`` as x, y, width, height, or ``shapes``) in the input."""
    _, found = _detected(protocol, given)
    outlines = [text.split()[0] == "2" for text in given.get("shapes", [])] or [False] * len(found)
    polygon = torch.tensor(outlines)
    return {"boxes": found[~polygon], "polygon": found[polygon]}


def training_image(protocol: Protocol, given: Values) -> Values:
    """Compute image and boxes in training; nothing is drawn at random."""
    image, found = _detected(protocol, given)
    return {
        "image": sketch(image[:1], PARTS),
        "boxes": found,
        "random": bool(protocol.transform.get("train")),
    }


def _segmented(protocol: Protocol, given: Values, steps: Mapping[str, Any] | None) -> tuple[Tensor, Tensor]:
    transform = dense_transform(_input(protocol), steps, **mask_options(protocol))
    with TemporaryDirectory() as folder:
        rows = _manifest(folder, given, "mask", _annotation(protocol, given))
        sample = SegmentationDataset(rows, transform, ("foreground",)).sample(0)
    return sample["inputs"], sample["data_samples"].gt_sem_seg.data[0]


def _detected(protocol: Protocol, given: Values) -> tuple[Tensor, Tensor]:
    spec = _input(protocol)
    transform = dense_transform(spec, protocol.transform.get("train"), **box_options(protocol))
    if "boxes" in given:
        sides = np.asarray(given["boxes"], np.float32).reshape(-1, 4)
        annotated = boxes_of_sides(sides, np.zeros(len(sides), np.float32))
    else:
        annotated = object_cxr.boxes_of(
            _shapes(given), data_options(protocol, given).get("boxes", "enclosing")
        )
    with TemporaryDirectory() as folder:
        rows = _manifest(folder, given, "boxes", annotated)
        sample = DetectionDataset(rows, transform, ("object",), spec).sample(0)
    return sample["inputs"], sample["data_samples"].gt_instances.bboxes


def _input(protocol: Protocol) -> InputSpec:
    backbone: Any = SimpleNamespace(input=InputSpec())
    return Feed.of(backbone, protocol).input


def _manifest(folder: str, given: Values, column: str, annotated: Any) -> Manifest:
    Image.fromarray(planted_file(*given["size"])).save(Path(folder) / "image.png")
    row = {"id": "image", "patient_id": "image", "split": "train", "image": "image.png"}
    table = pd.DataFrame([row])
    table[column] = pd.Series([annotated], dtype=object)
    return Manifest(name="planted", root=Path(folder), table=table)


def planted_file(height: int, width: int) -> np.ndarray:
    """Return the planted picture with one white pixel, so that a stretch to the maximum changes nothing."""
    pixels = picture(height, width)
    pixels[0, 0] = 255
    return pixels


def _annotation(protocol: Protocol, given: Values) -> Any:
    if "rle" in given:
        return RleMask(tuple(given["rle"]))
    if "boxes" in given:
        sides = np.asarray(given["boxes"], np.float32)
        return BoxMask(boxes_of_sides(sides, np.zeros(len(sides), np.float32)))
    return object_cxr.mask_of(_shapes(given), data_options(protocol, given).get("masks", "outlines"))


def _shapes(given: Values) -> tuple[Any, ...]:
    return tuple(object_cxr.shape(text, "planted") for text in given["shapes"])


def _both_ways(degrees: float | tuple[float, float]) -> list[float]:
    return list(degrees) if isinstance(degrees, tuple | list) else [-degrees, degrees]


def _soft(target: Tensor) -> int:
    return int(((target > 0) & (target < 1)).sum())


def _foreground(target: Tensor) -> Values:
    return {"foreground": int((target > 0.5).sum()), "sketch": sketch(target, PARTS)}
