"""A manifest whose images are those of the cache: a data reference with ``cache=SIZE``."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from prior_bench.data.images.cache.image_cache import ImageCache, name_of, place_of, signature, source_now
from prior_bench.data.images.cache.reading import opened
from prior_bench.data.images.cache.shard import Entry
from prior_bench.data.manifest import Manifest
from prior_bench.errors import BenchError
from prior_bench.store.changed_source import warn_of_cache


@dataclass(frozen=True)
class ReducedMask:
    """A mask of the stored image, drawn at the cached image's size.

    Attributes:
        mask: annotation with ``decode(height, width)``.
        original: (height, width) of the stored image.
    """

    mask: Any
    original: tuple[int, int]

    def decode(self, height: int, width: int) -> np.ndarray:
        """uint8 [height, width] of 0 and 1: of each cached pixel, the stored pixel at its centre."""
        mask = self.mask.decode(*self.original)
        rows, columns = (
            ((np.arange(side) + 0.5) * whole / side).astype(np.int64)
            for side, whole in zip((height, width), self.original, strict=True)
        )
        return np.ascontiguousarray(mask[rows[:, None], columns])


def use_cache(manifest: Manifest, size: int, reference: str) -> Manifest:
    """The same data set with its images, boxes and masks as cached.

    A file that could not be read when the cache was made stays in the table and raises when it is read, as
    the original would.

    Args:
        manifest: as read from the originals.
        size: of the cached images' longest side.
        reference: how the user may name the data set, for messages.

    Raises:
        BenchError: there is no such cache, it lacks images, or originals have changed since.
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


def _column(values: Iterable[Any]) -> pd.Series:
    """An object column: arrays stay one to a cell."""
    return pd.Series(list(values), dtype=object)
