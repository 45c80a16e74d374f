"""Slots: what one process of a suite may use, a GPU or a share of the cores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prior_bench.errors import BenchError
from prior_bench.runtime import VISIBLE, named_gpus


@dataclass(frozen=True)
class Slot:
    """A place for one process.

    Attributes:
        number: of the slot, from 0.
        gpu: its GPU, as ``CUDA_VISIBLE_DEVICES`` names it; None for a share of the cores.
    """

    number: int
    gpu: str | None = None

    def __str__(self) -> str:
        return f"slot {self.number}" + ("" if self.gpu is None else f", {VISIBLE}={self.gpu}")

    @property
    def binding(self) -> dict[str, Any] | None:
        """What a record says of it; None for a share of the cores."""
        return None if self.gpu is None else {"slot": self.number, VISIBLE: self.gpu}


def slots_of(jobs: int, gpus: str | None) -> list[Slot]:
    """Return the slots that ``--jobs`` and ``--gpus`` ask for.

    Args:
        jobs: number of processes on a CPU.
        gpus: as for :func:`prior_bench.runtime.named_gpus`; None for none.

    Raises:
        BenchError: the numbers cannot be read, are not there, or are given together with ``jobs``.
    """
    if jobs < 1:
        raise BenchError(f"is {jobs}; must be at least 1", where="--jobs")
    if gpus is None:
        return [Slot(number) for number in range(jobs)]
    if jobs > 1:
        raise BenchError("has one process per GPU", where="--gpus", fix="leave out --jobs")
    return [Slot(number, gpu) for number, gpu in enumerate(named_gpus(gpus))]
