"""Images that several processes evaluate: each a part of the batches, every image once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch.distributed as dist
from torch.utils.data import Sampler

from prior_bench.errors import BenchError


class DealtBatches(Sampler[list[int]]):
    """Whole batches of the images in order, dealt out to the processes one by one.

    Batches are those of one process, so that predictions and losses of batches are the same. Nothing is
    repeated to give all processes as many, as a DistributedSampler does.

    Args:
        images: number of images.
        batch_size: number of images per batch.
        drop_last: whether the last batch is left out if it is incomplete.
        index, count: number of this process, and number of all processes.
    """

    def __init__(self, images: int, batch_size: int, drop_last: bool, index: int, count: int):
        end = images - images % batch_size if drop_last else images
        batches = [list(range(first, min(first + batch_size, end))) for first in range(0, end, batch_size)]
        self.evaluated, self.batches = end, batches[index::count]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches)

    def places(self) -> list[int]:
        """Return the places of this process's images, in the order in which they are evaluated."""
        return [place for batch in self.batches for place in batch]


def in_order(places: Sequence[int], results: Sequence[Any], images: int) -> list[Any]:
    """Return the results of all processes in the order of the images.

    Args:
        places: of the images that this process has evaluated.
        results: theirs, in the same order.
        images: number of all images that were to be evaluated.

    Raises:
        BenchError: an image was evaluated twice, or not at all.
    """
    told: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(told, (list(places), list(results)))
    return joined_results(told, images)


def joined_results(told: Sequence[tuple[list[int], list[Any]]], images: int) -> list[Any]:
    """Join the results of several processes; see :func:`in_order`."""
    found: dict[int, Any] = {}
    for places, results in told:
        if len(places) != len(results):
            raise BenchError(f"{len(results)} results of {len(places)} images that a process has evaluated")
        for place, result in zip(places, results, strict=True):
            if place in found:
                raise BenchError(f"image {place} was evaluated by two processes")
            found[place] = result
    if missing := sorted(set(range(images)) - found.keys()):
        raise BenchError(f"{len(missing)} images were evaluated by no process, image {missing[0]} first")
    return [found[place] for place in range(images)]


def of_first(value: Any) -> Any:
    """Return the value of the first process, in all processes; what they decide by it is then the same."""
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]
