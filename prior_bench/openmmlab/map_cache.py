"""Run a frozen backbone once and replace the images by its feature maps, in memory or in a file."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from prior_bench.api import RunContext, repeated
from prior_bench.io.atomic import CACHE_FIX
from prior_bench.io.room import free_bytes, writing_to
from prior_bench.openmmlab.backbone import MapReader
from prior_bench.openmmlab.datasets import DenseDataset
from prior_bench.openmmlab.sampler import Draw
from prior_bench.runtime import progress

MEMORY = 2 * 2**30
"""Largest size of the maps of all splits in memory, in bytes."""
DISK = 64 * 2**30
"""Largest size of them in files, in bytes; half of the free disk is left free. If they are larger, the
backbone runs in every epoch."""
BATCH = 32

Room = Callable[[Sequence[int]], Tensor]
"""Function from a shape to a float32 tensor whose values are not set."""


class CachedMaps(Dataset):
    """A data set whose ``inputs`` are the backbone's maps.

    Args:
        maps: one tensor [N, C, H, W] per map.
        samples: the N data samples.
        metainfo: metainfo of the original data set.
    """

    def __init__(self, maps: Sequence[Tensor], samples: Sequence[Any], metainfo: dict[str, Any]):
        self.maps, self.samples, self.metainfo = tuple(maps), samples, metainfo

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, key: int | Draw) -> dict[str, Any]:
        row = key.row if isinstance(key, Draw) else int(key)
        return {"inputs": tuple(level[row] for level in self.maps), "data_samples": self.samples[row]}


def room_for(
    encoder: nn.Module, strides: Sequence[int], datasets: Sequence[DenseDataset], context: RunContext
) -> Room | None:
    """Where the float32 maps of all data sets can be kept; None if the backbone is to run in every epoch.

    Maps that are too large for MEMORY are kept in files if the backbone runs on a CPU, where reading them is
    faster. A GPU computes them faster than most disks read them.
    """
    image = datasets[0][0]["inputs"][None].to(context.device)
    with torch.no_grad():
        maps = MapReader(encoder, strides)(encoder.eval(), image)
    size = sum(level.numel() for level in maps) * 4 * sum(map(len, datasets))
    if size <= MEMORY:
        return torch.empty
    folder = context.cache_dir / "maps"
    most = min(DISK, (free_bytes(folder) or 0) // 2)
    return InFiles(folder) if context.device == "cpu" and size <= most else None


class InFiles:
    """Tensors in files of a folder, which have no name any more: they end with the process, however it ends.

    Args:
        folder: made if it is missing.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def __call__(self, shape: Sequence[int]) -> Tensor:
        """Return a tensor that is mapped from a new file.

        Raises:
            StorageError: there is no room, or the folder cannot be written.
        """
        count = math.prod(shape)
        with writing_to(self.folder, CACHE_FIX, needed=4 * count):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.folder)
            try:
                if hasattr(os, "posix_fallocate"):  # a hole that cannot be filled would end the process
                    os.posix_fallocate(handle, 0, 4 * count)
                mapped = torch.from_file(name, shared=True, size=count, dtype=torch.float32)
            finally:
                os.close(handle)
                os.unlink(name)
        return mapped.view(*shape)


def precompute(
    encoder: nn.Module,
    strides: Sequence[int],
    dataset: DenseDataset,
    context: RunContext,
    room: Room = torch.empty,
) -> CachedMaps:
    """Run the encoder in evaluation mode once on every row, and keep its maps in ``room``."""
    if context.rehearsal is not None:
        rows = context.rehearsal.rows(len(dataset))
        with context.rehearsal.timed("feature maps", "forward", len(rows), len(dataset)):
            some = _precomputed(encoder, strides, dataset, Subset(dataset, rows), context, torch.empty)
        order = repeated(len(dataset), len(rows))
        return CachedMaps([m[order] for m in some.maps], [some.samples[i] for i in order], some.metainfo)
    return _precomputed(encoder, strides, dataset, dataset, context, room)


@torch.no_grad()
def _precomputed(
    encoder: nn.Module,
    strides: Sequence[int],
    dataset: DenseDataset,
    rows: DenseDataset | Subset,
    context: RunContext,
    room: Room,
) -> CachedMaps:
    read, encoder = MapReader(encoder, strides), encoder.eval()
    loader = DataLoader(rows, BATCH, num_workers=context.workers, collate_fn=pseudo_collate)
    maps: list[Tensor] = []
    samples: list[Any] = []
    for batch in progress(loader, "frozen feature maps"):
        levels = read(encoder, torch.stack(batch["inputs"]).to(context.device))
        maps = maps or [room((len(rows), *level.shape[1:])) for level in levels]
        for kept, level in zip(maps, levels, strict=True):
            kept[len(samples) : len(samples) + len(level)] = level
        samples.extend(batch["data_samples"])
    return CachedMaps(maps, samples, dataset.metainfo)
