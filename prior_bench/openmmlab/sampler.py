"""Draw training images in rounds, each of which can be repeated after an interruption."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler


class Draw(NamedTuple):
    """A training image: its row, and the seed of its augmentation."""

    row: int
    seed: int


class RoundSampler(Sampler[Draw]):
    """An infinite stream of shuffled passes over the images, divided into rounds of equal length.

    Round r depends only on ``seed`` and r, not on the number of loading processes, so that a run that is
    resumed at a round equals an uninterrupted one. Rounds consist of whole batches; images left at the end of
    a round are the first of the next one, unless ``last_batch`` says otherwise.

    Args:
        images: number of training images.
        batch_size: number of images per step.
        seed: seed of order and augmentation.
        iterations: number of steps per round; None for one pass over the images.
        last_batch: images that fill no batch at the end of a pass: ``carried`` into the next round,
            ``dropped`` (or ``dropped_in_training``), or ``kept`` as a smaller batch. Unless they are carried,
            each round begins a new pass.
    """

    def __init__(
        self,
        images: int,
        batch_size: int,
        seed: int,
        iterations: int | None = None,
        last_batch: str = "carried",
    ):
        self.images, self.seed, self.round, self.carried = images, seed, 0, last_batch == "carried"
        if iterations is not None:
            self.length = iterations * batch_size
        elif last_batch == "kept":
            self.length = images
        else:
            self.length = max(images // batch_size, 1) * min(batch_size, images)

    def __len__(self) -> int:
        return self.length

    def set_epoch(self, epoch: int) -> None:
        """Select the round; mmengine calls this before each round."""
        self.round = epoch

    def __iter__(self) -> Iterator[Draw]:
        first = self.round * self.length
        number, order = -1, np.zeros(0, dtype=int)
        for position in range(first, first + self.length):
            turn, place = divmod(position, self.images) if self.carried else (self.round, position - first)
            if turn != number:
                number = turn
                order = np.random.default_rng((self.seed, number)).permutation(self.images)
            row = int(order[place])
            yield Draw(row, int(np.random.SeedSequence((self.seed, position)).generate_state(1)[0]))
