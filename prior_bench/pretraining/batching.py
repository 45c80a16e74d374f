"""Batches of texts of similar length, which need less padding; the data are the same."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Protocol, cast

import torch
from torch import Tensor
from torch.utils.data import Sampler

from prior_bench.api import PretrainBatch
from prior_bench.encoders.tokenizer import ReportTokenizer
from prior_bench.errors import BenchError
from prior_bench.pretraining.shard_order import shard_windows, share

POOL = 8
"""Number of batches per pool; the pairs of a pool are sorted by length."""


class DrawsTexts(Protocol):
    """A data set that can return the text of a sample in advance."""

    def __len__(self) -> int: ...

    def draw_text(self, epoch: int, index: int) -> tuple[str, ...]:
        """Return the sentences of a sample in an epoch."""


class KnowsShards(DrawsTexts, Protocol):
    """A data set that also knows the shard of each image."""

    def shards(self, epoch: int) -> list[int]:
        """Return the shard of each sample's image in an epoch."""


class LengthGroupedBatches(Sampler[list[tuple[int, int]]]):
    """Batches of keys (epoch, index), shuffled again in each epoch; an incomplete last batch is dropped.

    The data are shuffled and divided into pools of a few batches. Each pool is sorted by length and divided
    into batches, whose order is shuffled again. The length is counted in characters, which is accurate
    enough. Each process gets its share of every batch, so that all processes together see the same batches
    as a single process.

    With ``shard_window``, this is done for one window after another
    (:mod:`prior_bench.pretraining.shard_order`). Samples that do not fill a batch are carried over to the
    next window, and a process's share of a batch is in few shards.

    Args:
        dataset: the data set; it must implement :class:`KnowsShards` if ``shard_window`` is given.
        batch_size: batch size over all processes; a multiple of ``processes``.
        seed: seed of the order.
        rank, processes: number of this process and number of processes.
        shard_window: number of shards in use at a time, or None to draw from all samples.

    Raises:
        BenchError: there are fewer data than one batch, or a batch cannot be divided evenly.
    """

    def __init__(
        self,
        dataset: DrawsTexts | KnowsShards,
        batch_size: int,
        seed: int = 0,
        rank: int = 0,
        processes: int = 1,
        shard_window: int | None = None,
    ):
        if len(dataset) < batch_size:
            fix = f"train on more pairs, or set batch_size to {max(2, len(dataset) // 2)}"
            raise BenchError(
                f"{len(dataset)} pairs do not fill a batch of {batch_size}", where="batch_size", fix=fix
            )
        if batch_size % processes:
            raise BenchError(
                f"{batch_size} is not a multiple of the {processes} processes", where="batch_size"
            )
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.rank, self.processes, self.epoch, self._left_out = rank, processes, 0, 0
        self.shard_window = shard_window

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next iteration."""
        self.epoch = epoch

    def skip(self, batches: int) -> None:
        """Leave out so many batches at the start of the next iteration, without reading their samples."""
        self._left_out = batches

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, left_out, self._left_out = self.epoch, self._left_out, 0
        yield from islice(self._all(epoch), left_out, None)

    def _all(self, epoch: int) -> Iterator[list[tuple[int, int]]]:
        draw = random.Random(f"order/{self.seed}/{epoch}")
        windows: Iterable[list[int]] = []
        shards: list[int] | None = None
        if self.shard_window is None:
            windows = [draw.sample(range(len(self.dataset)), len(self) * self.batch_size)]
        else:
            shards = cast(KnowsShards, self.dataset).shards(epoch)
            windows = shard_windows(shards, self.shard_window, draw)
        left: list[int] = []
        for window in windows:
            order = left + window
            whole = len(order) // self.batch_size * self.batch_size
            order, left = order[:whole], order[whole:]
            for batch in self._batches(order, epoch, draw):
                if shards is None:
                    mine = batch[self.rank :: self.processes]
                else:
                    mine = share(batch, shards, self.rank, self.processes)
                yield [(epoch, index) for index in mine]

    def _batches(self, order: list[int], epoch: int, draw: random.Random) -> list[list[int]]:
        """Divide samples, which fill whole batches, into batches of similar length."""
        batches = []
        for start in range(0, len(order), POOL * self.batch_size):
            pool = order[start : start + POOL * self.batch_size]
            pool.sort(key=lambda index: sum(map(len, self.dataset.draw_text(epoch, index))))
            batches += [pool[i : i + self.batch_size] for i in range(0, len(pool), self.batch_size)]
        draw.shuffle(batches)
        return batches


class Collate:
    """Callable that stacks images and tokenises texts, padded to the longest text of the batch."""

    def __init__(self, tokenizer: ReportTokenizer):
        self.tokenizer = tokenizer

    def __call__(self, samples: list[tuple[Tensor, tuple[str, ...]]]) -> PretrainBatch:
        """Combine B samples into a batch."""
        images, texts = zip(*samples, strict=True)
        return PretrainBatch(torch.stack(images), self.tokenizer(list(texts)))
