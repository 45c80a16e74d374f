"""A rehearsal: a run of real size of which only a stated share of the steps and images is computed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

BATCH_ON_CPU = 2
"""Default number of images per step without a GPU, where a step with the real number takes minutes."""
FACTOR = 1e-5
"""Default share of the steps and of the evaluated images; at this one, almost all cells do the least."""
STEPS = 2
"""Least number of training steps: the first one is warm-up, the second is measured."""
IMAGES = 2
"""Least number of images per evaluation."""

GPU_WORK = ("forward", "frozen", "trained")
"""Kinds of work whose units are images (or texts) that pass through an encoder, as in :class:`Work`."""
HOST_WORK = ("host",)
"""Kinds of work that a GPU does not speed up: solving a probe, computing metrics."""


@dataclass(frozen=True)
class Measured:
    """A piece of work of which a share was done.

    Attributes:
        what: in words, e.g. ``"training"``.
        kind: one of :data:`GPU_WORK` or :data:`HOST_WORK`.
        done: units that were timed.
        real: units in the real run, without early stopping.
        seconds: that ``done`` units took.
        steps, batch: training steps in the real run, and images per step; 0 for other work.
        once: what runs share that take the same cached features; empty for work of each run.
    """

    what: str
    kind: str
    done: float
    real: float
    seconds: float
    steps: int = 0
    batch: int = 0
    once: str = ""

    @property
    def projected(self) -> float:
        """Seconds of the real work at the measured rate."""
        return self.seconds * self.real / self.done if self.done else 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain types, for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class RehearsalSize:
    """How much of a run is done.

    Attributes:
        factor: share of the real steps and of the real evaluated images, in (0, 1].
        batch: largest number of images per training step; None for that of the protocol.
    """

    factor: float
    batch: int | None = None


@dataclass
class Rehearsal:
    """How much of a run is done, and what was measured.

    Attributes:
        size: how much.
        measured: the work so far.
    """

    size: RehearsalSize
    measured: list[Measured] = field(default_factory=list)

    def batch(self, real: int) -> int:
        """Return the number of images per training step for a real number."""
        return real if self.size.batch is None else min(real, self.size.batch)

    def steps(self, real: int) -> int:
        """Return the number of training steps for a real number."""
        return max(STEPS, round(self.size.factor * real))

    def images(self, real: int) -> int:
        """Return the number of images to evaluate for a real number."""
        return min(real, max(IMAGES, round(self.size.factor * real)))

    def rows(self, real: int) -> list[int]:
        """Return the positions of these images, spread evenly over all."""
        count = self.images(real)
        return [i * real // count for i in range(count)]

    @contextmanager
    def timed(self, what: str, kind: str, done: float, real: float, once: str = "") -> Iterator[None]:
        """Measure the time of a block that does ``done`` of ``real`` units."""
        begun = time.perf_counter()
        yield
        self.measured.append(Measured(what, kind, done, real, time.perf_counter() - begun, once=once))


def repeated(rows: int, count: int) -> list[int]:
    """Return which of ``count`` computed results stands for each of ``rows`` rows."""
    return [i % count for i in range(rows)]
