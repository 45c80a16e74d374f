"""Which rows of the present step's batch this process has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from prior_bench.errors import BenchError
from prior_bench.losses.gather import rank, world_size


@dataclass(frozen=True)
class BatchShare:
    """The share of a process in a batch; shares follow each other in the order of the processes.

    Attributes:
        rows: number of rows of the whole batch.
        index, count: number of this process, and number of all processes.
    """

    rows: int
    index: int
    count: int

    def of(self, index: int) -> slice:
        """Return the rows of a process; there are none if the batch has fewer rows than processes."""
        return slice(self.rows * index // self.count, self.rows * (index + 1) // self.count)

    @property
    def own(self) -> slice:
        """The rows of this process."""
        return self.of(self.index)

    @property
    def size(self) -> int:
        """Number of rows of this process."""
        return self.own.stop - self.own.start


class _Step:
    """The step that is computed now.

    Attributes:
        share: this process's share; None outside of the steps of a shared training.
        drawn: states of the random generators after the last draw for the whole batch; None if other draws
            are not looked for.
    """

    share: BatchShare | None = None
    drawn: list[Tensor] | None = None


_now = _Step()


def current() -> BatchShare | None:
    """Return this process's share in the present step; None where a process has whole batches."""
    return _now.share


@contextmanager
def only_here() -> Iterator[None]:
    """End the last step of the block with it, however the block ends."""
    try:
        yield
    finally:
        end_step()


def begin_step(rows: int) -> BatchShare:
    """Begin a training step with a batch of so many rows, in all processes."""
    _now.share, _now.drawn = BatchShare(rows, rank(), world_size()), _states()
    return _now.share


def end_step() -> None:
    """End the step, so that a process has whole batches again."""
    _now.share = _now.drawn = None


def require_no_other_draws() -> None:
    """Check that nothing was drawn for the rows of this process alone.

    Raises:
        BenchError: something was. It would be another draw than that of one process for the same rows.
    """
    if _now.drawn is None:
        return
    if not all(torch.equal(one, other) for one, other in zip(_now.drawn, _states(), strict=True)):
        raise BenchError(
            "the network draws random numbers outside of dropout layers; in several processes, they would "
            "not be those of one",
            fix="train it in one process (gpus=1), or switch these draws off",
        )


def drawn_for_all() -> None:
    """Note that something was drawn for the whole batch."""
    if _now.drawn is not None:
        _now.drawn = _states()


def outputs_are_complete() -> None:
    """Look for no further draws in this step: its outputs are computed."""
    require_no_other_draws()
    _now.drawn = None


def _states() -> list[Tensor]:
    states = [torch.get_rng_state()]
    return [*states, torch.cuda.get_rng_state()] if torch.cuda.is_initialized() else states
