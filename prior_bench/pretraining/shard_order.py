"""An order of samples that uses only a few shards of an image cache at a time."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence


def shard_windows(shards: Sequence[int], size: int, draw: random.Random) -> Iterator[list[int]]:
    """Yield windows of samples: ``size`` shards in random order, with their samples shuffled.

    Args:
        shards: shard of each sample.
        size: number of shards per window.
        draw: random generator.

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
    """Return one process's part of a batch; samples of the same shards stay together.

    Therefore, each process reads few shards. All parts together are the batch, whose size must be a multiple
    of ``processes``.
    """
    each = len(batch) // processes
    return sorted(batch, key=lambda index: (shards[index], index))[rank * each : (rank + 1) * each]
