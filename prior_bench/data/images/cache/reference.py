"""Manifests with cached images, which data references with ``cache=SIZE`` open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.annotations.phrases import box_tuples
from prior_bench.data.images.cache.image_cache import ImageCache, name_of, place_of, signature, source_now
from prior_bench.data.images.cache.reading import opened
from prior_bench.data.images.cache.shard import Entry
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.store.changed_source import warn_of_cache


@dataclass(frozen=True)
class ReducedMask:
    """A mask of the original image, decoded at the size of the cached image.

    Attributes:
        mask: annotation with the method ``decode(height, width)``.
        original: (height, width) of the original image.
    """

    mask: Any
    original: tuple[int, int]

    def decode(self, height: int, width: int) -> np.ndarray:
        """Return a mask of 0 and 1, uint8 [height, width], sampled at the centre of each cached pixel."""
        mask = self.mask.decode(*self.original)
        rows, columns = (
            ((np.arange(side) + 0.5) * whole / side).astype(np.int64)
            for side, whole in zip((height, width), self.original, strict=True)
        )
        return np.ascontiguousarray(mask[rows[:, None], columns])


def use_cache(manifest: Manifest, size: int, reference: str) -> Manifest:
    """Return the manifest with the cached images, and with boxes, masks and phrases at their size.

    A file that could not be read when the cache was made stays in the table. Reading it raises an error, as
    reading the original would.

    Args:
        manifest: manifest of the original images.
        size: longest side of the cached images, in pixels.
        reference: data reference that a user can type, for messages.

    Raises:
        BenchError: the cache does not exist, lacks images, or contains images whose originals have changed.
    """
    fix = f"prior-bench data cache '{reference}' --size {size}"
    folder = place_of(manifest.root, size)
    if not folder.is_dir():
        raise BenchError(f"has no image cache of size {size}", where=manifest.name, fix=fix)
    cache = opened(folder, anew=True)
    if any(shard.source and shard.source != source_now() for shard in cache.shards):
        warn_of_cache("cached images were made", f"delete {folder}, then {fix}")
    table = manifest.table
    names = [name_of(image) for image in table["image"]]
    _require_current(cache, manifest, names, fix)
    entries = [cache.entry(name) for name in names]
    # the column makes the manifest's fingerprint follow the cached pixels
    columns: dict[str, Any] = {"image": names, "cached": [f"{size}/{e.checksum:08x}" for e in entries]}
    if "boxes" in table:
        columns["boxes"] = _column(_boxes(b, e) for b, e in zip(table["boxes"], entries, strict=True))
    if "mask" in table:
        columns["mask"] = _column(_mask(m, e) for m, e in zip(table["mask"], entries, strict=True))
    if "phrases" in table:
        columns["phrases"] = _column(_phrases(p, e) for p, e in zip(table["phrases"], entries, strict=True))
    note = f"images reduced to a longest side of {size} pixels (image cache)"
    return replace(manifest, root=folder, table=table.assign(**columns), notes=(*manifest.notes, note))


def _require_current(cache: ImageCache, manifest: Manifest, names: list[str], fix: str) -> None:
    originals = list(manifest.table["image"])
    absent = [image for image, name in zip(originals, names, strict=True) if name not in cache]
    changed = [
        image
        for image, name in zip(originals, names, strict=True)
        if name in cache and signature(manifest.root / image) != cache.entry(name).source
    ]
    for found, what in (
        (absent, "are not in the image cache"),
        (changed, "have changed since they were cached"),
    ):
        if found:
            raise BenchError(
                f"{len(found)} of {len(names)} images {what}; the first is {found[0]}",
                where=manifest.name,
                fix=fix,
            )


def _boxes(boxes: Any, entry: Entry) -> Any:
    if not isinstance(boxes, np.ndarray) or entry.error:
        return boxes
    scaled = boxes.copy()
    scaled[:, 0:4:2] *= entry.size[1] / entry.original[1]
    scaled[:, 1:4:2] *= entry.size[0] / entry.original[0]
    return scaled


def _mask(mask: Any, entry: Entry) -> Any:
    same = entry.error or entry.size == entry.original
    if same or not hasattr(mask, "decode"):
        return mask
    height, width = entry.original
    return ReducedMask(mask, (height, width))


def _phrases(phrases: Any, entry: Entry) -> Any:
    if not isinstance(phrases, tuple) or entry.error:
        return phrases
    return tuple(
        replace(one, boxes=box_tuples(_boxes(one.box_array, entry)), mask=_mask(one.mask, entry))
        for one in phrases
    )


def _column(values: Iterable[Any]) -> pd.Series:
    """Make a column of objects, so that each array stays in one cell."""
    return pd.Series(list(values), dtype=object)
