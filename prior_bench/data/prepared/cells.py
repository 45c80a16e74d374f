"""Encode cells of a manifest as plain JSON and decode them, without loss of types, NaN or annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from prior_bench.data.annotations.masks import (
    BoxMask,
    CocoMask,
    FileMask,
    RleMask,
    ShapeMask,
    SwappedShapeMask,
    UnionMask,
)
from prior_bench.data.annotations.phrases import GroundedPhrase, box_tuples


def encode_cell(value: Any) -> Any:
    """Encode a cell; values without a JSON type become {kind: content}."""
    match value:
        case tuple():
            return {"tuple": [encode_cell(one) for one in value]}
        case GroundedPhrase():
            return {
                "phrase": value.text,
                "boxes": value.boxes,
                "mask": encode_cell(value.mask),
                "category": value.category,
            }
        case UnionMask():
            return {"union": [encode_cell(one) for one in value.masks]}
        case CocoMask():
            return {"coco": value.segmentation, "size": value.size, "of": value.of}
        case np.ndarray():
            return {"array": value.tolist(), "type": str(value.dtype), "shape": value.shape}
        case RleMask():
            return {"rle": list(value.runs), "of": value.of}
        case BoxMask():
            return {"box_mask": encode_cell(np.asarray(value.boxes))}
        case ShapeMask():
            return {"shapes": value.shapes}
        case SwappedShapeMask():
            return {"swapped_shapes": value.shapes}
        case FileMask():
            return {"file": str(value.path)}
    return value


def decode_cell(value: Any, root: Path) -> Any:
    """Decode a cell; mask files are relative to ``root``."""
    if not isinstance(value, dict):
        return value
    match next(iter(value)):
        case "tuple":
            return tuple(decode_cell(one, root) for one in value["tuple"])
        case "phrase":
            mask = decode_cell(value["mask"], root)
            return GroundedPhrase(value["phrase"], box_tuples(value["boxes"]), mask, value["category"])
        case "union":
            return UnionMask(tuple(decode_cell(one, root) for one in value["union"]))
        case "coco":
            return CocoMask.of_json(value["coco"], value["size"], value["of"])
        case "array":
            if np.dtype(value["type"]).kind not in "biuf":  # a text has the width that its type states
                raise ValueError(f"a cell has an array of type {value['type']}")
            return np.array(value["array"], dtype=value["type"]).reshape(value["shape"])
        case "rle":
            return RleMask(tuple(value["rle"]), value["of"])
        case "box_mask":
            return BoxMask(decode_cell(value["box_mask"], root))
        case "shapes":
            return ShapeMask(_shapes(value["shapes"]))
        case "swapped_shapes":
            return SwappedShapeMask(_shapes(value["swapped_shapes"]))
        case "file":
            return FileMask(value["file"], root)
    raise ValueError(f"unknown cell {value}")


def _shapes(stored: Any) -> tuple[tuple[str, tuple[float, ...]], ...]:
    return tuple((kind, tuple(numbers)) for kind, numbers in stored)
