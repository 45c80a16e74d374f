"""What a rehearsal says of the real run: memory and time per cell, and hours of a whole suite.

Two kinds of hours are stated. *Here*: the real number of steps and images at the rates that were measured
on this machine. *GPU*: images / **assumed** images per second (:mod:`prior_bench.suites.estimate`), plus the
work that a GPU does not speed up, as measured here. Neither includes pre-training, and both are for trainings
without early stopping.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from prior_bench.api import Measured, RunRecord
from prior_bench.api.rehearsal import GPU_WORK
from prior_bench.suites.estimate import FORWARD, FROZEN, TRAINED

SPEEDS = {"forward": 1.0, "frozen": FROZEN / FORWARD, "trained": TRAINED / FORWARD}
"""Images per second of a kind of work, relative to the forward pass."""
GPUS = 8


@dataclass(frozen=True)
class ProjectedCell:
    """A rehearsed cell and what its real run will take.

    Attributes:
        record: of the rehearsal.
        seeds: number of real cells that it stands for.
        here, gpu: projected seconds of one of them.
    """

    record: RunRecord
    seeds: int
    here: float
    gpu: float

    @property
    def work(self) -> list[Measured]:
        """What was measured."""
        return work_of(self.record)

    def of(self, *what: str) -> list[Measured]:
        """Return the measured work of these names."""
        return [measured for measured in self.work if measured.what in what]


@dataclass(frozen=True)
class Projection:
    """The projected cost of a suite.

    Attributes:
        cells: the rehearsed cells.
        failed: number of cells that failed.
        missing: number of cells that were not rehearsed yet.
    """

    cells: list[ProjectedCell]
    failed: int
    missing: int

    @property
    def real_cells(self) -> int:
        """Number of cells of the real suite, of those that were rehearsed."""
        return sum(cell.seeds for cell in self.cells)

    @property
    def here(self) -> float:
        """Hours of the whole suite at the rates of this machine."""
        return sum(cell.here * cell.seeds for cell in self.cells) / 3600

    @property
    def gpu(self) -> float:
        """Hours of the whole suite on one GPU."""
        return sum(cell.gpu * cell.seeds for cell in self.cells) / 3600

    def on_gpus(self, count: int = GPUS) -> float:
        """Hours on several GPUs, each of which takes the longest cell that is left."""
        ends = [0.0] * count
        lengths = sorted((c.gpu for c in self.cells for _ in range(c.seeds)), reverse=True)
        for seconds in lengths:
            ends[ends.index(min(ends))] += seconds
        return max(ends) / 3600

    @property
    def longest(self) -> float:
        """Hours of the longest cell on one GPU, which bound an array with a job per cell."""
        return max((cell.gpu for cell in self.cells), default=0.0) / 3600

    @property
    def memory(self) -> float:
        """Largest peak memory of a cell, in GiB."""
        return max((peak(cell.record) for cell in self.cells), default=0.0)


def work_of(record: RunRecord) -> list[Measured]:
    """Return what a rehearsal measured."""
    return [Measured(**entry) for entry in record.provenance.get("rehearsal", {}).get("work", [])]


def peak(record: RunRecord, which: str = "memory") -> float:
    """Return the peak memory of a record in GiB; 0 where it is not known."""
    return float((record.provenance.get("peak_gib") or {}).get(which, 0.0))


def project(
    records: Iterable[RunRecord | None],
    seeds: dict[tuple[str, str, str], int],
    forward: float = FORWARD,
) -> Projection:
    """Project the cost of a suite from the records of its rehearsal.

    Args:
        records: one for each cell; None for a cell that was not rehearsed yet.
        seeds: number of real seeds by task, data set and protocol; 1 where there is none.
        forward: assumed images per second of the forward pass of a ResNet-50 at 224 pixels on the GPU.
    """
    cells: list[ProjectedCell] = []
    failed = missing = 0
    paid: set[str] = set()
    for record in records:
        if record is None:
            missing += 1
        elif record.status != "done":
            failed += 1
        else:
            spec = record.spec
            count = seeds.get((spec["task"], spec["data"]["name"], spec["protocol"]["name"]), 1)
            cells.append(_cell(record, count, forward, paid))
    return Projection(cells, failed, missing)


def _cell(record: RunRecord, seeds: int, forward: float, paid: set[str]) -> ProjectedCell:
    every = work_of(record)
    rest = max(0.0, (record.provenance.get("wall_seconds") or 0.0) - sum(m.seconds for m in every))
    counted = [m for m in every if not m.once or m.once not in paid]
    paid |= {m.once for m in every if m.once}
    size = _size(record.spec["protocol"])
    here = rest + sum(m.projected for m in counted)
    gpu = sum(
        m.real / (forward * SPEEDS[m.kind]) * (size / 224) ** 2 if m.kind in GPU_WORK else m.projected
        for m in counted
    )
    return ProjectedCell(record, seeds, here, gpu)


def _size(protocol: dict[str, Any]) -> int:
    size = (protocol.get("transform", {}).get("input") or {}).get("size", 224)
    return size if isinstance(size, int) else 224
