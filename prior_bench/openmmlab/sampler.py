"""Draws training images in rounds that can be repeated, one by one, after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler


class Draw(NamedTuple):
    """One training image: its row, and the seed of its augmentation."""

    row: int
    seed: int


class RoundSampler(Sampler[Draw]):
    """An endless stream of shuffled passes over the images, cut into rounds of equal length.

    Round r depends on ``seed`` and r alone (not on how many processes load it), so a run resumed at a
    round continues as if it had never stopped. Rounds are whole batches; an image left over at the end of
    one opens the next.

    Args:
        images: number of training images.
        batch_size: images per step.
        seed: of order and augmentation.
        iterations: steps per round; None for one pass over the images.
    """

    def __init__(self, images: int, batch_size: int, seed: int, iterations: int | None = None):
        self.images, self.seed, self.round = images, seed, 0
        if iterations is not None:
            self.length = iterations * batch_size
        else:
            self.length = max(images // batch_size, 1) * min(batch_size, images)

    def __len__(self) -> int:
        return self.length

    def set_epoch(self, epoch: int) -> None:
        """Choose the round; mmengine calls this before each."""
        self.round = epoch

    def __iter__(self) -> Iterator[Draw]:
        first = self.round * self.length
        number, order = -1, np.zeros(0, dtype=int)
        for position in range(first, first + self.length):
            if position // self.images != number:
                number = position // self.images
                order = np.random.default_rng((self.seed, number)).permutation(self.images)
            row = int(order[position % self.images])
            yield Draw(row, int(np.random.SeedSequence((self.seed, position)).generate_state(1)[0]))
