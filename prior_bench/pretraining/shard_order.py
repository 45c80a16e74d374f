"""An order of samples in which few shards of an image cache are in use at a time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence


def shard_windows(shards: Sequence[int], size: int, draw: random.Random) -> Iterator[list[int]]:
    """Samples in windows: the shards in random order, ``size`` at a time, the samples of these shuffled.

    Args:
        shards: the shard that each sample is in.
        size: shards to a window.
        draw: all randomness comes from here.

    Yields:
        Indices of samples; every index is in exactly one window.
    """
    samples: dict[int, list[int]] = defaultdict(list)
    for index, shard in enumerate(shards):
        samples[shard].append(index)
    order = sorted(samples)
    draw.shuffle(order)
    for start in range(0, len(order), size):
        window = [index for shard in order[start : start + size] for index in samples[shard]]
        draw.shuffle(window)
        yield window


def share(batch: list[int], shards: Sequence[int], rank: int, processes: int) -> list[int]:
    """One process's part of a batch: neighbours by shard, so that a process reads few shards.

    All parts together are the batch, whose size is a multiple of ``processes``.
    """
    each = len(batch) // processes
    return sorted(batch, key=lambda index: (shards[index], index))[rank * each : (rank + 1) * each]
