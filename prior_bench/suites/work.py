"""How many images pass through the encoder in the usual kinds of runs; for ``Task.estimate``."""

from __future__ import annotations

from dataclasses import fields

from prior_bench.api import Protocol, Work
from prior_bench.data.images.corruptions import conditions

Sizes = tuple[int, int, int]
"""Images in train, valid and test."""


def of_features(protocol: Protocol, sizes: Sizes) -> Work:
    """A frozen encoder, run once over all images, and over the test images for each corruption."""
    return Work(features=sum(sizes), forward=len(conditions(protocol.options)) * sizes[2])


def of_training(protocol: Protocol, sizes: Sizes, fraction: float) -> Work | None:
    """Training for epochs or iterations, with a validation per round; None where its length is not known."""
    stopping = protocol.stopping
    train, valid, test = sizes[0] * fraction, sizes[1], sizes[2]
    if stopping.get("epochs"):
        rounds, seen = stopping["epochs"] // stopping.get("interval", 1), stopping["epochs"] * train
    elif stopping.get("iterations"):
        rounds = -(-stopping["iterations"] // stopping.get("interval", stopping["iterations"]))
        seen = stopping["iterations"] * protocol.batch_size
    else:
        return None
    evaluated = rounds * valid + test
    if protocol.frozen.get("backbone", True):
        return Work(forward=evaluated, frozen=seen)
    return Work(forward=evaluated, trained=seen)


def times(work: Work | None, factor: int) -> Work | None:
    """The same work, done ``factor`` times."""
    if work is None:
        return None
    return Work(**{part.name: factor * getattr(work, part.name) for part in fields(Work)})
