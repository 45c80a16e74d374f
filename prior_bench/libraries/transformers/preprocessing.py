"""The input that an image processor of transformers states, as an InputSpec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prior_bench.errors import BenchError

FILTERS = {2: "bilinear", 3: "bicubic"}
"""Names of the filters by Pillow's number."""
SETTLE = "state it: --input size=…,mean=…,std=…,resize=… (in a suite's row: input=dict(size=…, …))"


def stated_input(processor: Mapping[str, Any], where: object) -> dict[str, Any]:
    """Return the fields of InputSpec, except ``channels``, of an image processor.

    Args:
        processor: the processor as a dict, with the defaults of its class.
        where: folder or name, for messages.

    Raises:
        BenchError: the processor does something that no InputSpec can state.
    """
    found = {**_size(processor, where), **_statistics(processor, where)}
    if "size" in found and processor.get("resample") is not None:
        number = int(processor["resample"])
        if number not in FILTERS:
            what = f"resizes with Pillow's filter {number}; must be 2 (bilinear) or 3 (bicubic)"
            fix = "choose one: --input interpolation=bicubic"
            raise BenchError(what, where=where, fix=fix)
        found["interpolation"] = FILTERS[number]
    return found


def _size(processor: Mapping[str, Any], where: object) -> dict[str, Any]:
    if not processor.get("do_resize", True):
        return {}
    size = processor.get("size")
    size = {"height": size, "width": size} if isinstance(size, int) else dict(size or {})
    size = {name: value for name, value in size.items() if value is not None}
    if set(size) == {"height", "width"} and size["height"] == size["width"]:
        found = {"size": size["height"], "resize": "squash"}
    elif set(size) == {"shortest_edge"}:
        found = {"size": size["shortest_edge"], "resize": "crop"}
    else:
        raise BenchError(f"resizes to {size}, which is no square", where=where, fix=SETTLE)
    share = processor.get("crop_pct")
    if share and found["resize"] == "crop":  # ConvNeXt's: from 384 pixels on, nothing is cropped
        if found["size"] >= 384:
            return {**found, "resize": "squash"}
        return {**found, "resize_to": int(found["size"] / share)}
    if processor.get("do_center_crop"):
        crop = processor.get("crop_size")
        crop = crop if isinstance(crop, int) else (crop or {}).get("height")
        if not crop or crop > found["size"]:
            what = f"crops {crop} pixels of an image of {found['size']}"
            raise BenchError(what, where=where, fix=SETTLE)
        return {**found, "size": crop, "resize_to": found["size"]}
    return found


def _statistics(processor: Mapping[str, Any], where: object) -> dict[str, Any]:
    factor = processor.get("rescale_factor", 1 / 255) if processor.get("do_rescale", True) else 1.0
    top = 255 * factor  # the value of a white pixel before normalisation
    if processor.get("rescale_offset") or processor.get("offset"):
        raise BenchError("shifts pixels by a rescale_offset", where=where, fix=SETTLE)
    if not processor.get("do_normalize", True):
        return {"mean": 0.0, "std": 1 / top}
    mean, std = processor.get("image_mean"), processor.get("image_std")
    if mean is None or std is None:
        return {}
    if abs(top - 1) < 1e-6:
        return {"mean": _plain(mean), "std": _plain(std)}
    return {"mean": [m / top for m in _several(mean)], "std": [s / top for s in _several(std)]}


def _plain(values: Any) -> Any:
    return list(values) if isinstance(values, list | tuple) else float(values)


def _several(values: Any) -> list[float]:
    return list(values) if isinstance(values, list | tuple) else [float(values)]
