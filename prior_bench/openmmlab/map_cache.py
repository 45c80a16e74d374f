"""Run a frozen backbone once and replace the images by its feature maps, which are kept in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, Subset

from prior_bench.api import RunContext, repeated
from prior_bench.openmmlab.backbone import MapReader
from prior_bench.openmmlab.datasets import DenseDataset
from prior_bench.openmmlab.sampler import Draw
from prior_bench.runtime import progress

MEMORY = 2 * 2**30
"""Largest size of the maps of all splits, in bytes; if they are larger, the backbone runs in every epoch."""
BATCH = 32


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


def fits(encoder: nn.Module, strides: Sequence[int], datasets: Sequence[DenseDataset], device: str) -> bool:
    """Whether the float32 maps of all data sets fit into MEMORY."""
    image = datasets[0][0]["inputs"][None].to(device)
    with torch.no_grad():
        maps = MapReader(encoder, strides)(encoder.eval(), image)
    return sum(level.numel() for level in maps) * 4 * sum(map(len, datasets)) <= MEMORY


def precompute(
    encoder: nn.Module, strides: Sequence[int], dataset: DenseDataset, context: RunContext
) -> CachedMaps:
    """Run the encoder in evaluation mode once on every row."""
    if context.rehearsal is not None:
        rows = context.rehearsal.rows(len(dataset))
        with context.rehearsal.timed("feature maps", "forward", len(rows), len(dataset)):
            some = _precomputed(encoder, strides, dataset, Subset(dataset, rows), context)
        order = repeated(len(dataset), len(rows))
        return CachedMaps([m[order] for m in some.maps], [some.samples[i] for i in order], some.metainfo)
    return _precomputed(encoder, strides, dataset, dataset, context)


@torch.no_grad()
def _precomputed(
    encoder: nn.Module, strides: Sequence[int], dataset: DenseDataset, rows: Dataset, context: RunContext
) -> CachedMaps:
    read, encoder = MapReader(encoder, strides), encoder.eval()
    loader = DataLoader(rows, BATCH, num_workers=context.workers, collate_fn=pseudo_collate)
    maps: list[tuple[Tensor, ...]] = []
    samples: list[Any] = []
    for batch in progress(loader, "frozen feature maps"):
        images = torch.stack(batch["inputs"]).to(context.device)
        maps.append(tuple(level.cpu() for level in read(encoder, images)))
        samples.extend(batch["data_samples"])
    return CachedMaps([torch.cat(level) for level in zip(*maps, strict=True)], samples, dataset.metainfo)
