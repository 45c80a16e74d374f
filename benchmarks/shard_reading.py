"""The two orders in which pre-training reads an image cache: at random, and shard by shard.

Part of ``python -m benchmarks.data``. The shards are written as the cache writes them, with grain for images;
"cold" is after the operating system was asked to forget them, as far as it obeys.
"""

import gc
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from prior_bench.api import InputSpec
from prior_bench.data.images.cache import reading
from prior_bench.data.images.cache.build import SHARD_IMAGES
from prior_bench.data.images.cache.image_cache import FOLDER_SUFFIX
from prior_bench.data.images.cache.shard import SUFFIX, Entry, write_shard
from prior_bench.data.images.transforms import train_transform
from prior_bench.pretraining.batching import LengthGroupedBatches
from prior_bench.pretraining.dataset import Pair, PairDataset, Pairs

ORDERS = {"at random": None, "shard by shard": 4}
"""Name of an order to its ``shard_window``."""


def make_shards(folder: Path, images: int, size: int) -> Pairs:
    """A cache of so many images of size x 5/6 size, rounded up to whole shards, and a report for each."""
    place = folder / f"shards{FOLDER_SUFFIX}"
    place.mkdir(parents=True)
    grain = np.random.default_rng(0).integers(0, 255, (2 * size, 2 * size), dtype=np.uint8)
    shape, pairs = (size, size * 5 // 6), []
    for shard in range(-(-images // SHARD_IMAGES)):
        content = {}
        for i in range(SHARD_IMAGES):
            name, (top, left) = f"{shard:03d}/{i:03d}.jpg", divmod(37 * i, size)
            pixels = np.ascontiguousarray(grain[top % size :, left:][: shape[0], : shape[1]])
            content[name] = pixels, Entry((1, 1), shape, shape, zlib.crc32(pixels))
            pairs.append(Pair((place / name,), ("The lungs are clear.",) * (1 + i % 8)))
        write_shard(place / f"{shard:03d}{SUFFIX}", content)
    return Pairs(tuple(pairs), "shards", "", True)


def loader(
    pairs: Pairs, order: str, spec: InputSpec, transform: dict, batch: int, workers: int
) -> DataLoader:
    """Training batches of images, one epoch, in one of the orders."""
    window = ORDERS[order]
    dataset = PairDataset(pairs, train_transform(spec, transform), shard_window=window)
    batches = LengthGroupedBatches(dataset, batch, shard_window=window)
    return DataLoader(dataset, batch_sampler=batches, num_workers=workers, collate_fn=_images)


def read_pixels(pairs: Pairs, order: str, batch: int) -> int:
    """Copy the images of an epoch out of the cache, in one of the orders; how many they were."""
    window, count = ORDERS[order], 0
    dataset = PairDataset(pairs, _nothing, shard_window=window)
    for keys in LengthGroupedBatches(dataset, batch, shard_window=window):
        for key in keys:
            dataset[key]
            count += 1
    return count


def forget(pairs: Pairs) -> None:
    """Close the cache, and ask the operating system to drop its pages from memory."""
    reading._open.clear()
    gc.collect()
    for file in _files(pairs):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _files(pairs: Pairs) -> Iterator[Path]:
    return pairs.pairs[0].images[0].parents[1].glob(f"*{SUFFIX}")


def _images(samples: list) -> torch.Tensor:
    return torch.stack([image for image, _ in samples])


def _nothing(pixels: np.ndarray) -> torch.Tensor:
    return torch.zeros(0)
